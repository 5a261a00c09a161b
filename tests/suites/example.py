"""A conformance run of a few made-up checks, on a platform that is only claimed.

Everything else is real: options, selection, journal, verdicts, reports, exit codes, in a pytest
process of its own.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.run.deadlines import DEADLINE_KINDS

ROOT = Path(__file__).resolve().parents[2]
_WINDOWS = {"absence-window", "restart-window", "between-reads"}
PATIENT = [
    f"--deadline={kind.name}={4 * kind.embedded:g}"
    for kind in DEADLINE_KINDS
    if kind.name not in _WINDOWS
]
"""Options of a run on the embedded platform for which other tests leave little of the machine."""

INI = """\
[pytest]
conformance_suites = checks
testpaths = checks
addopts = --strict-markers
  -p suites.plugin -p no:cacheprovider -p no:pytest-kind-ng -p no:hypothesispytest
filterwarnings = error
"""

CONFTEST = """\
import pathlib
from fixtures.run.surroundings import PlatformFacts, SubjectFacts, Surroundings

LOG = pathlib.Path(__file__).parent / "platform.log"

def pytest_pgtls_start(config):
    LOG.write_text("up\\n")
    {start}
    return Surroundings(
        platform=PlatformFacts(name="claimed", detail="no cluster at all"),
        subject=SubjectFacts(name="{name}", version="{version}", reference={reference}),
        conditions=frozenset({{"own-certificates"}}),
    )

def pytest_pgtls_stop(config):
    with LOG.open("a") as log:
        log.write("down\\n")
    {stop}
"""

HEAD = """\
import pytest
from fixtures.run.outcomes import Blocked
from suites.breach import Breach, expect
from suites.requirement import finding, requirement

"""

KEPT = '''
@requirement("AUTO-1")
def test_kept():
    """Kept."""
'''
BROKEN = '''
@requirement("CONN-1")
def test_broken(each, evidence):
    """Broken at one of three."""
    for pod in ("a", "b", "c"):
        with each(pod):
            evidence.text(f"{pod}.txt", "seen " + pod)
            expect(pod != "b", where=f"Pod {pod}", promised="TLS", seen="plain", look_at="line 9")
'''
ERROR = '''
@requirement("CONN-2")
def test_error():
    """Cannot be said."""
    raise OSError("no route to host")
'''
"""Checks for `Example.make`: one that passes, one that fails, one that breaks."""


def outside_tox() -> dict[str, str]:
    """Return the environment without what tox says to its children.

    A tox that is started with it would take TOX_WORK_DIR for its own, and make the project's
    environments anew as it needs them.
    """
    return {key: value for key, value in os.environ.items() if not key.startswith("TOX_")}


@dataclass(frozen=True)
class Outcome:
    """The exit code, the output and the files of a run."""

    code: int
    out: str
    err: str
    directory: Path

    @property
    def run(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.directory / "report/run.json").read_text())
        return loaded

    @property
    def verdicts(self) -> dict[str, str]:
        return {row["id"]: row["verdict"] for row in self.run["requirements"]}

    @property
    def platform(self) -> list[str]:
        """The calls of the platform: none, up, or up and down."""
        log = self.directory / "platform.log"
        return log.read_text().split() if log.exists() else []


@dataclass(frozen=True)
class Example:
    """A directory with checks of its own, on which runs are made."""

    directory: Path

    @classmethod
    def make(
        cls,
        directory: Path,
        checks: str,
        *,
        name: str = "some operator",
        version: str = "2.8.0",
        reference: bool = False,
        start: str = "pass",
        stop: str = "pass",
    ) -> "Example":
        (directory / "checks").mkdir()
        (directory / "pytest.ini").write_text(INI)
        facts = {"name": name, "version": version, "reference": reference}
        (directory / "conftest.py").write_text(CONFTEST.format(start=start, stop=stop, **facts))
        (directory / "checks/test_example.py").write_text(HEAD + checks)
        return cls(directory)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "pytest", *arguments]

    def environment(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        kept = {key: value for key, value in outside_tox().items() if not key.startswith("PGTLS_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        return {**kept, "PYTHONPATH": str(ROOT), **(extra or {})}

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Outcome:
        ended = subprocess.run(
            self.command(*arguments),
            cwd=self.directory,
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Outcome(ended.returncode, ended.stdout, ended.stderr, self.directory)

"""Stopped through tox: it kills what is slow to go, and on SIGTERM it leaves its child behind.

The settings under test are those of the project's own tox.ini.
"""

import configparser
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fixtures.kube.waiting import NotYet, ask_again
from fixtures.run.deadlines import Deadline
from tests.embedded.box.platform_process import Up, processes_of, wait_gone
from tests.suites.example import ROOT, Example, Outcome, outside_tox

WAITING = '''
import os, threading

@requirement("AUTO-1")
def test_waiting():
    """Waits."""
    with open(os.environ["PGTLS_TEST_RUNNING"], "w") as pipe:
        pipe.write(str(os.getpid()))
    threading.Event().wait(60)
'''
# Longer than tox waits for its child, were it not told to: 0.3 s, and 0.2 s for a kill.
UP = Deadline(name="up", seconds=90, until="a platform is up")
SLOW_STOP = """import threading
    threading.Event().wait(1.5)
    with LOG.open("a") as log:
        log.write("clean\\n")
"""


def tox_file(directory: Path, environment: str, command: Sequence[str] = ()) -> None:
    """A tox environment that runs the command with the project's own limits and variables.

    Without one it is what the project runs there.
    """
    ours = configparser.ConfigParser(interpolation=None)
    ours.read(ROOT / "tox.ini")
    kept = {
        name: value
        for name, value in ours["testenv"].items()
        if name.endswith("_timeout") or name == "pass_env"
    }
    assert {"suicide_timeout", "interrupt_timeout", "terminate_timeout"} <= set(kept)
    made = configparser.ConfigParser(interpolation=None)
    made["tox"] = {"no_package": "true", "skip_missing_interpreters": "false"}
    theirs = ours[f"testenv:{environment}"]["commands"].replace("python ", f"{sys.executable} ")
    made[f"testenv:{environment}"] = {
        **kept,
        "runner": "virtualenv",
        "skip_install": "true",
        "allowlist_externals": "*",
        "set_env": f"PYTHONPATH={ROOT}",
        "commands": " ".join(command) or theirs,
    }
    with (directory / "tox.ini").open("w") as file:
        made.write(file)


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")]
)
def test_a_stopped_tox_leaves_nothing_behind(tmp_path: Path, number: int, name: str) -> None:
    example = Example.make(tmp_path, WAITING, stop=SLOW_STOP)
    tox_file(tmp_path, "conformance", example.command())
    pipe = tmp_path / "running"
    os.mkfifo(pipe)
    tox = subprocess.Popen(
        [sys.executable, "-m", "tox", "-e", "conformance"],
        cwd=tmp_path,
        env=example.environment({"PGTLS_TEST_RUNNING": str(pipe)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    pytest_ended = os.pidfd_open(int(pipe.read_text()))
    if number == signal.SIGINT:
        os.killpg(tox.pid, number)  # as a terminal does: to tox and to pytest
    else:
        tox.send_signal(number)
    out, _ = tox.communicate(timeout=120)
    assert select.select([pytest_ended], [], [], 60)[0], "pytest has not ended"
    os.close(pytest_ended)
    outcome = Outcome(tox.returncode, out, "", tmp_path)
    assert outcome.platform == ["up", "down", "clean"], out
    assert outcome.run["interrupted"] == name
    assert outcome.run["exit_code"] == 2
    if number == signal.SIGINT:  # of SIGTERM tox dies at once, and nobody hears pytest any more
        assert "interrupted by Ctrl-C" in out


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The directory of all temporary files under test; a box must be able to enter it."""
    with tempfile.TemporaryDirectory(prefix="pgtls-tox-", dir="/var/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)
        for left in processes_of(Path(made)):
            os.kill(left, signal.SIGKILL)  # and each with all that is its own


def _kubeconfig_in(directory: Path) -> Path | NotYet:
    return next(directory.glob("pg-tls-embedded-*/kubeconfig"), None) or NotYet("none")


@pytest.mark.parametrize(
    ("environment", "arguments"),
    [("embedded", []), ("faults", ["stale-replica"]), ("bench", ["--only", "noticing"])],
)
def test_no_platform_outlives_a_tox_that_was_told_to_end(
    tmp_path: Path, temporary: Path, environment: str, arguments: Sequence[str]
) -> None:
    tox_file(tmp_path, environment)
    tox = subprocess.Popen(
        [sys.executable, "-m", "tox", "-e", environment, "--", *arguments],
        cwd=tmp_path,
        env={**outside_tox(), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        kubeconfig = ask_again("a kubeconfig", lambda: _kubeconfig_in(temporary), UP)
        world = Up(tox, {"kubeconfig": str(kubeconfig)}).world
        running = [*processes_of(temporary), world.outer, *world.inside]
    finally:
        tox.send_signal(signal.SIGTERM)
    out, _ = tox.communicate(timeout=120)
    wait_gone(running)
    assert world.inhabitants() == [], out
    assert processes_of(temporary) == [], out
    assert list(temporary.glob("pg-tls-embedded-*")) == []

"""Whole runs whose environment breaks: an error with the log's tail, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from fixtures.kube.client import Kube
from fixtures.kube.resources import CRDS, NAMESPACES, PODS, Json
from fixtures.kube.views import View
from fixtures.kube.waiting import NotYet, PermanentFailure, ask_again, wait
from fixtures.operators.subject import CLUSTER_CRD
from fixtures.pgcluster.names import DATA
from fixtures.run.deadlines import Deadline
from fixtures.run.identity import RUN_LABEL
from tests.embedded.announced import announced
from tests.embedded.box.platform_process import Up, World
from tests.suites.damaged_image import LIBRARY
from tests.suites.example import ROOT, Outcome

CHECK = "AUTO-1"
SECONDS = 180
SOON = Deadline(name="soon", seconds=60, until="the run has come so far")
FULL = "No space left on device"
DAMAGED = f"{LIBRARY}: file too short"


@dataclass(frozen=True)
class Running:
    """A run on an embedded platform of its own, whose API answers by now."""

    process: subprocess.Popen[str]
    kubeconfig: Path
    directory: Path

    @cached_property
    def world(self) -> World:
        """The platform's processes, as they are when first asked for."""
        return Up(self.process, {"kubeconfig": str(self.kubeconfig)}).world

    def await_database(self) -> None:
        """Wait until the Pod of a database is there."""
        kube = Kube.connect(self.kubeconfig)
        with View(kube, PODS) as pods:
            look = lambda: any(map(_is_database, pods.items.values())) or NotYet("none")  # noqa: E731
            wait(pods, "the Pod of a database", look, SOON)
        kube.close()

    def ended(self) -> Outcome:
        out, err = self.process.communicate(timeout=SECONDS)
        return Outcome(self.process.returncode, out, err, self.directory)


def _is_database(pod: Json) -> bool:
    return (pod["metadata"].get("labels") or {}).get(DATA) == "postgres"


def _suites(directory: Path, *options: str) -> list[str]:
    report = ("--report-dir", str(directory / "report"))
    return [sys.executable, "-m", "pytest", "suites", *report, "--requirement", CHECK, *options]


@contextmanager
def running(directory: Path, before: Sequence[str] = ()) -> Iterator[Running]:
    """A run of one check; at its end nothing of it may be left on this machine."""
    temporary = directory / "temporary"
    temporary.mkdir()
    mounts = Path("/proc/self/mountinfo").read_text()
    process = subprocess.Popen(
        [*before, *_suites(directory, "--platform", "embedded", "--deadline", "ready=10")],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def kubeconfig() -> Path | NotYet | PermanentFailure:
        if process.poll() is not None:
            return PermanentFailure(f"the run ended with {process.returncode}")
        return next(temporary.glob("pg-tls-embedded-*/kubeconfig"), None) or NotYet("none")

    try:
        run = Running(process, ask_again("a kubeconfig", kubeconfig, SOON, every=0.01), directory)
        world = run.world
        yield run
    finally:
        process.kill()
        process.communicate()
    assert list(temporary.iterdir()) == []
    assert world.inhabitants() == []
    assert Path("/proc/self/mountinfo").read_text() == mounts


def assert_error_of_a_pod(outcome: Outcome, output: str) -> None:
    """Verdict and exit code; the Pod and its last words, and where the whole log is."""
    assert outcome.code == 3, outcome.out + outcome.err
    assert outcome.verdicts == {CHECK: "error"}
    tail = r"(?s)(the log of one-instance1-\w+-0/database ends:|Pod one-instance1-\w+-0:).*"
    for text in (outcome.out, outcome.run["requirements"][0]["reason"]):
        # As one line: the terminal's words are wrapped.
        assert re.search(tail + output, re.sub(r"\n *\|? *", " ", text)), text
    assert "look at   evidence/scenario-generated/" in outcome.out
    folder = outcome.directory / "report/evidence/scenario-generated"
    logs = {path.name: path.read_text() for path in folder.glob("log-*-database*.txt")}
    assert any(output in text for text in logs.values()), logs


@contextmanager
def cluster(before: Sequence[str]) -> Iterator[dict[str, str]]:
    """A platform that is somebody else's; yields what its launcher says."""
    up = [*before, sys.executable, "-m", "reference", "up", "--json"]
    with subprocess.Popen(
        up, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        yield announced(process.stdout)
        process.communicate(timeout=SECONDS)


@pytest.fixture
def damaged() -> Iterator[list[str]]:
    """Command before a command that is to find PostgreSQL's image damaged."""
    # Not in pytest's own directory, which the box's uid cannot enter.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield [sys.executable, "-m", "tests.suites.damaged_image", folder]


def test_a_postgresql_that_does_not_start(tmp_path: Path, damaged: list[str]) -> None:
    with running(tmp_path, damaged) as run:
        outcome = run.ended()
    assert_error_of_a_pod(outcome, DAMAGED)


def test_on_anothers_cluster_a_postgresql_that_does_not_start(
    tmp_path: Path, damaged: list[str]
) -> None:
    with cluster(damaged) as output:
        context = ("--kubeconfig", output["kubeconfig"], "--kube-context", "embedded")
        command = _suites(tmp_path, "--platform", "kubeconfig", *context)
        command += ["--operator-bundle", output["bundle"]]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        kube = Kube.connect(Path(output["kubeconfig"]))
        left = kube.list(NAMESPACES, labels=RUN_LABEL).items
        definition = kube.get_or_none(CRDS, CLUSTER_CRD)
        kube.close()
    assert_error_of_a_pod(Outcome(done.returncode, done.stdout, done.stderr, tmp_path), DAMAGED)
    assert left == ()
    assert definition is None


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        bound = [sys.executable, "-m", "tests.suites.small_disk", str(run.world.init)]
        subprocess.run(bound, cwd=ROOT, check=True)
        outcome = run.ended()
    assert_error_of_a_pod(outcome, FULL)


def test_an_api_server_that_dies(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        run.await_database()
        os.kill(run.world.named("embedded.api "), signal.SIGKILL)
        outcome = run.ended()
    assert outcome.code == 3, outcome.out + outcome.err
    assert outcome.verdicts == {CHECK: "error"}
    assert "the embedded platform ended with exit code 1" in outcome.out
    assert "embedded: api ended with code 137" in outcome.out
    assert "embedded: api ended with code 137" in outcome.run["breakdowns"][0]["log"]

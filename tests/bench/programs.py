"""Whole programs, from their start: the suite, the platform, tox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.bench.figures import BenchError, Figure
from tests.bench.ground import Subject
from tests.embedded.announced import announced

_ROOT = Path(__file__).resolve().parents[2]
_PYTHON = sys.executable
_PYTEST_STARTS = "commands[0]> pytest"
_SECONDS = 900.0
_CARD = ("AUTO", "CONN", "REPL", "CUSTOM", "ROOTCA", "TLSONLY", "FIN")
_CARD_SECONDS = 600.0
_CHAPTERS_SECONDS = 7200.0
_JUDGED = (0, 1)


def suite(runs: int) -> list[Figure]:
    """All rows of the suite on the embedded platform, and the work of all its processes."""
    took = [_suite() for _ in range(runs)]
    return [
        Figure(
            name="all requirements, from pytest's start to its end",
            samples=tuple(wall for wall, _ in took),
            bound=30.0,
            note="every scenario, everything cached",
        ),
        Figure(
            name="  processor time of the machine meanwhile",
            samples=tuple(cpu for _, cpu in took),
            note="whoever used it",
        ),
    ]


def chapters(subject: Subject, runs: int) -> list[Figure]:
    """The card's chapters on an operator: how long they take, whatever the verdicts."""
    took, verdicts = zip(*(_chapters(subject) for _ in range(runs)), strict=True)
    return [
        Figure(
            name=f"the card's chapters: {', '.join(_CARD)}",
            samples=took,
            bound=_CARD_SECONDS,
            note=f"from pytest's start to its end, everything cached; {verdicts[-1]}",
        )
    ]


def starts(runs: int) -> list[Figure]:
    """Measure the time until the platform is ready, and until tox has pytest running."""
    figures = [Figure(name="embedded up to ready", samples=tuple(_up() for _ in range(runs)))]
    # Only that of ./bootstrap has tox-uv, as the project's environments are made.
    tox = _ROOT / ".venv" / "bin" / "tox"
    if not tox.exists() or not (_ROOT / ".tox" / "conformance").is_dir():
        print("tox is not measured: run ./bootstrap conformance once before", file=sys.stderr)
        return figures
    again = Figure(
        name="tox -e conformance, second start",
        samples=tuple(_until_pytest(str(tox)) for _ in range(runs)),
        bound=1.0,
        note="until it starts pytest",
    )
    return [*figures, again]


def _suite() -> tuple[float, float]:
    """A whole run; its report stays where it did not pass."""
    directory = Path(tempfile.mkdtemp(prefix="pgtls-bench-"))
    before = _processor_time()
    command = [_PYTHON, "-m", "pytest", "suites", "--platform", "embedded", "-q"]
    logs = f"--embedded-arguments=--log-dir {directory / 'logs'}"
    wall = _timed([*command, "--report-dir", str(directory), logs])
    used = _processor_time() - before
    shutil.rmtree(directory)
    return wall, used


def _chapters(subject: Subject) -> tuple[float, str]:
    """One run, and its verdicts; its report stays where it did not pass."""
    directory = Path(tempfile.mkdtemp(prefix="pgtls-bench-"))
    command = [_PYTHON, "-m", "pytest", "suites", "--platform", "embedded", *subject.arguments()]
    command += [*(f"--chapter={name}" for name in _CARD), "--report-dir", str(directory)]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=_ROOT, capture_output=True, text=True, timeout=_CHAPTERS_SECONDS, check=False
    )
    took = time.monotonic() - began
    if done.returncode not in _JUDGED:
        said = (done.stdout + done.stderr)[-4000:]
        raise BenchError(f"{' '.join(command)}: exit code {done.returncode}\n{said}")
    report = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    counts = (f"{count} {outcome}" for outcome, count in report["counts"].items() if count)
    if done.returncode:
        print(f"the chapters did not pass: their report is {directory}", file=sys.stderr)
    else:
        shutil.rmtree(directory)
    return took, ", ".join(counts)


def _up() -> float:
    began = time.monotonic()
    command = [_PYTHON, "-m", "reference", "up", "--json"]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as platform:
        assert platform.stdout is not None
        with suppress(EOFError):  # told by its exit code
            announced(platform.stdout)
        took = time.monotonic() - began
        platform.communicate(timeout=_SECONDS)
    if platform.returncode != 0:
        raise BenchError(f"{' '.join(command)}: exit code {platform.returncode}")
    return took


def _until_pytest(tox: str) -> float:
    began = time.monotonic()
    command = [tox, "-e", "conformance", "--", "--version"]
    # What the tox says that runs us would have this one work in its place.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("TOX_")}
    with subprocess.Popen(
        command, cwd=_ROOT, env=outside, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        starts = (time.monotonic() for line in running.stdout if _PYTEST_STARTS in line)
        took = next(starts, began) - began
        running.communicate(timeout=_SECONDS)
    if running.returncode != 0 or not took:
        raise BenchError(f"{' '.join(command)}: exit code {running.returncode}")
    return took


def _timed(command: Sequence[str]) -> float:
    began = time.monotonic()
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_SECONDS)
    took = time.monotonic() - began
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-4000:]
        raise BenchError(f"{' '.join(command)}: exit code {done.returncode}\n{said}")
    return took


def _processor_time() -> float:
    """Seconds that all processors were busy so far (proc(5), /proc/stat).

    Not the children's: what ends with the box is in nobody's account.
    """
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    user, nice, system, _, _, irq, softirq = map(int, first.split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")

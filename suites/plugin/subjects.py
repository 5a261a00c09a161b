"""Several versions of the operator, judged one after the other, each by a run of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from fixtures.run.loading import load
from fixtures.run.usage import UsageError
from reports.beside import beside, exit_code_of_all
from reports.renderers import run_json
from reports.run import Run
from reports.text import show
from suites.plugin import options
from suites.plugin.signals import ENDS_WITH_PARENT, STOPPING

_OURS = ("--operator-version", "--report-dir")
"""Options that each run gets its own value of."""
_LONGEST = 24 * 3600.0
_INTERRUPTED, _WRONG_USE = 2, 4


def judge_each(config: pytest.Config) -> int | None:
    """Judge each version that is named, and show verdicts that differ; None for one or none.

    The report of each is in a folder of its own below the report directory. Raises UsageError.
    """
    settings = load(options.given(config), os.environ, options.user_directory(config))
    versions = settings.operator_version
    if len(versions) < 2:
        return None
    if len(set(versions)) < len(versions):
        origin = settings.origin("operator_version")
        raise UsageError(f"{origin}: a version stands there twice; name each once.")
    words = [*_without_ours(config.invocation_params.args)]
    folders = {version: settings.report_dir / _folder(version) for version in versions}
    codes: list[int] = []
    for version, folder in folders.items():
        show(f"\noperator {_folder(version)}\n")
        own = [f"--operator-version={version}", f"--report-dir={folder}"]
        codes.append(_run([*words, *own], config.invocation_params.dir))
        if codes[-1] == _INTERRUPTED:
            break
    judged = zip(versions, codes, strict=False)
    runs = {version: _report(folders[version], code) for version, code in judged}
    show(f"\n{beside(runs)}")
    return exit_code_of_all(codes)


def _folder(version: str) -> str:
    """Return a version as the name of a folder: what is no version is refused by its own run."""
    return "".join(each if each.isalnum() or each in ".-" else "_" for each in version).strip(".")


def _without_ours(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of the command line but for the options that each run has of its own."""
    rest = iter([str(word) for word in words])
    for word in rest:
        if word in _OURS:
            next(rest, None)
        elif not word.startswith(tuple(f"{option}=" for option in _OURS)):
            yield word


def _run(words: Sequence[str], directory: Path) -> int:
    """Run pytest with these words to its end; signals are handed on to it, and end it first."""
    command = [sys.executable, "-m", "pytest", *words]
    env = {**os.environ, ENDS_WITH_PARENT: "1"}
    relay = _SignalRelay()
    with relay.hearing():
        process = subprocess.Popen(command, cwd=directory, env=env, process_group=0)
        relay.hand_on_to(process)
        return process.wait(_LONGEST)


class _SignalRelay:
    """Hands signals that would end this program on to a run, which cleans up and ends with them."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """Hear the signals meanwhile; one that is ignored stays ignored."""
        before = {number: signal.getsignal(number) for number in STOPPING}
        for number, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, self._hear)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def hand_on_to(self, process: "subprocess.Popen[bytes]") -> None:
        """Name the run, which gets what has been heard already, too."""
        self._process = process
        for number in self._early:
            process.send_signal(number)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)


def _report(folder: Path, code: int) -> Run | None:
    """Return what a run reported; None where it left nothing: what is there is an older one's."""
    if code == _WRONG_USE:
        return None
    try:
        return run_json.read(folder / "run.json")
    except (OSError, ValueError):
        return None

"""Ctrl-C, SIGTERM and the end of the parent: each stops the run once, and lets it clean up."""

import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

import pytest

PR_SET_PDEATHSIG = 1
ENDS_WITH_PARENT = "PGTLS_ENDS_WITH_PARENT"
"""Set by a program that starts a run and stays until it ends."""
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopHandler:
    """The handler of signals that stop the run; the first one counts."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.by = ""
        self.cleaning = False
        self._say = say

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt at the first signal; a later one must not end the clean-up."""
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        ends = not self.by and not self.cleaning
        self.by = self.by or name
        if ends:
            raise KeyboardInterrupt(name)
        self._say(f"{name}: still removing what the run created; please wait")


def drop_unplaced_entries(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Take entries out of the traceback that have no line.

    A signal may come at an instruction that belongs to none, and pytest's report of an interruption
    breaks on such an entry: the run would end with 1.
    """
    entry: TracebackType | None = excinfo.tb
    lines: list[int | None] = []
    while entry is not None:
        lines.append(entry.tb_lineno)
        entry = entry.tb_next
    placed = [each for each, line in zip(excinfo.traceback, lines, strict=True) if line is not None]
    excinfo.traceback = type(excinfo.traceback)(placed)


@contextmanager
def handling_signals(stop: StopHandler) -> Iterator[None]:
    """Let `stop` hear the signals. Under tox, also hear of the end of tox, which leaves us running.

    So does a run of several. Without such a parent it may be a shell that is left on purpose, with
    nohup for example; a signal that is ignored stays ignored.
    """
    before = {number: signal.getsignal(number) for number in STOPPING}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, stop)
    if os.environ.keys() & {"TOX_ENV_NAME", ENDS_WITH_PARENT}:
        _follow_parent()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _follow_parent() -> None:
    parent = os.getppid()
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    if prctl is None:
        return
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)

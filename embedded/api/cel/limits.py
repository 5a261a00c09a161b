"""The processor time that the rules for one object may take.

Kubernetes counts the cost of what it evaluates, up to about one second; here the time itself is
bounded.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SECONDS = 1.0


class OverBudgetError(Exception):
    """The rules for an object took too long."""


@contextmanager
def budget(seconds: float = SECONDS) -> Iterator[None]:
    """Raise OverBudgetError within, once the process worked for so long.

    It is bounded in the main thread alone, where signals are handled: the API server's.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(_number: int, _frame: Any) -> None:
    raise OverBudgetError

"""A clock that can be put forward."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time can be put forward: all that fell due meanwhile runs in one turn."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0

    def time(self) -> float:
        return super().time() + self._ahead

    def put_forward(self, seconds: float) -> None:
        self._ahead += seconds


def run(play: Callable[[Clock], Awaitable[T]]) -> T:
    """Run a coroutine function on a clock of its own, which it is given."""
    clock = Clock()

    async def main() -> T:
        return await play(clock)

    with asyncio.Runner(loop_factory=lambda: clock) as runner:
        return runner.run(main())

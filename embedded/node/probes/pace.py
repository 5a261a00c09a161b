"""A limit for probes that cost a process, while many containers start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_AT_ONCE = 3
_GAP = 0.008  # seconds between two turns
_HELD = 0.25  # seconds after which a probe that still runs no longer holds up the others


class Pace:
    """Gives turns in the order they are asked for.

    One container that starts is asked every few milliseconds; a hundred of them share the same
    number of processes, so that none is asked so often that nobody gets an answer in time.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._next = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it while the body runs."""
        loop = asyncio.get_running_loop()
        await self._free.acquire()
        held = [self._free]

        def release() -> None:
            if held:
                held.pop().release()

        timer = None
        try:
            now = loop.time()
            at = max(now, self._next)
            self._next = at + _GAP
            await asyncio.sleep(at - now)
            timer = loop.call_later(_HELD, release)
            yield
        finally:
            if timer is not None:
                timer.cancel()
            release()

"""How often probes that cost a process may run while many containers start at once."""

from __future__ import annotations

import asyncio


class Pace:
    """Gives turns, at least `gap` seconds apart, in the order they were asked for.

    One container that starts is asked every few milliseconds; a hundred of them share the same
    number of processes.
    """

    def __init__(self, gap: float = 0.008) -> None:
        self._gap = gap
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next turn."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self._gap
        if at > now:
            await asyncio.sleep(at - now)

"""The way into a command: bytes to a pipe or a terminal, at the pace in which it takes them."""

from __future__ import annotations

import asyncio
import os


class Sink:
    """Owns `descriptor`, the writing end of a pipe or a terminal's master.

    An event loop's own transport for pipes is not for terminals: it may read, to hear of the end,
    and so takes what the terminal shows.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor: int | None = descriptor

    async def send(self, data: bytes) -> None:
        """Write all of `data`, but to a closed sink nothing. Raises OSError where none reads it."""
        rest = memoryview(data)
        while rest and self._descriptor is not None:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                await _writable(self._descriptor)

    def close(self) -> None:
        """Let the command see the end of its input, if no other descriptor leads there."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(descriptor)

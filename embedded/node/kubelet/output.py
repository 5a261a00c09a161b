"""The way out of a command: its output, to the end or to what is left once it has ended."""

from __future__ import annotations

import asyncio
from typing import Any

_CHUNK = 64 * 1024
_DRAIN = 1.0  # seconds in which the output ends after the command, unless a child holds it
_UNDER_WAY = 1024 * 1024  # bytes; more than a pipe and its reader hold


class Output:
    """Reads one of a command's outputs; `ended` is done once the command has.

    A child of the command may hold the pipe for long after it, and write to it for ever: neither is
    waited for. But nothing of the command's own is lost, however slowly it is taken.
    """

    def __init__(self, reader: asyncio.StreamReader, ended: asyncio.Future[Any]) -> None:
        self._reader = reader
        self._ended = ended
        self._patience = _DRAIN
        self._until: float | None = None
        self._left = _UNDER_WAY

    async def read(self) -> bytes:
        """Return the next bytes, none at the end. Raises OSError."""
        if self._left <= 0:
            return b""
        read = asyncio.ensure_future(self._reader.read(_CHUNK))
        try:
            await asyncio.wait([read, self._ended], return_when=asyncio.FIRST_COMPLETED)
            if not read.done():
                await self._await_the_rest(read)
            data = read.result() if read.done() else b""
        finally:
            read.cancel()
        self._count(data)
        return data

    async def _await_the_rest(self, read: asyncio.Future[bytes]) -> None:
        began = _clock()
        await asyncio.wait([read], timeout=self._patience)
        self._patience -= _clock() - began

    def _count(self, data: bytes) -> None:
        if not self._ended.done():
            return
        if self._until is None:
            self._until = _clock() + _DRAIN
        if _clock() > self._until:
            self._left -= len(data)


def _clock() -> float:
    return asyncio.get_running_loop().time()

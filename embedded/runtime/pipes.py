"""Pipes, read by the event loop."""

from __future__ import annotations

import asyncio
import os
from typing import Self

_CHUNK = 65536


class OutputPipe:
    """A pipe for the output of another process: pass `writer` on, close it here, then `collect`."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._chunks: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_writer()
        os.close(self._reader)

    def close_writer(self) -> None:
        """Close our copy of the writing end."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    async def collect(self) -> bytes:
        """Return all that is written, once every writer has closed."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._reader, self._take, ended)
        try:
            await ended
        finally:
            loop.remove_reader(self._reader)
        return b"".join(self._chunks)

    def _take(self, ended: asyncio.Future[None]) -> None:
        chunk = os.read(self._reader, _CHUNK)
        self._chunks.append(chunk)
        if not chunk and not ended.done():
            ended.set_result(None)


def memory_file(content: bytes) -> int:
    """Return a descriptor from which `content` is read; the caller closes it."""
    descriptor = os.memfd_create("input")
    with os.fdopen(os.dup(descriptor), "wb") as out:
        out.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor

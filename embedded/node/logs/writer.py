"""A container's output, written line by line with time stamps.

Format: the CRI's, `<RFC 3339 time> <stdout|stderr> <F|P> <text>`, P for a part of a long line.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

_CHUNK = 64 * 1024
_LONGEST = 16 * 1024  # of one entry, as container runtimes cut lines


def timestamp(nanoseconds: int) -> str:
    """Return a time since the epoch as RFC 3339 with nanoseconds."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09d}Z"


def rotated(path: Path) -> Path:
    """Return where the older half of a log that grew too long is kept."""
    return path.with_name(f"{path.name}.1")


class ContainerLog:
    """The log of one run of one container. `limit` bytes are kept, and as many older ones."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self.generation = 0
        """The number of rotations of the file."""
        self._limit = limit
        self._pending: dict[str, bytes] = {}
        self._open: dict[int, str] = {}
        self._changed = asyncio.Event()
        self._done = asyncio.Event()
        self._size = 0
        _set_aside(path)
        self._file = path.open("wb", buffering=0)

    def attach(self, stream: str, descriptor: int) -> None:
        """Take everything that comes out of `descriptor` as `stream`; closes it at its end."""
        os.set_blocking(descriptor, False)
        self._open[descriptor] = stream
        asyncio.get_running_loop().add_reader(descriptor, self._read, descriptor)

    async def drained(self) -> None:
        """Wait until all that was attached has ended."""
        await self._done.wait()

    @property
    def closed(self) -> bool:
        """True once nothing more will come."""
        return self._done.is_set()

    async def changed(self) -> None:
        """Wait for more to be written, or for the end."""
        await self._changed.wait()

    def close(self) -> None:
        """End the log, whatever is still attached."""
        for descriptor in list(self._open):
            self._end(descriptor)
        self._finish()

    def _read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._end(descriptor)
            if not self._open:
                self._finish()
            return
        self._write(self._open[descriptor], data)

    def _end(self, descriptor: int) -> None:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        stream = self._open.pop(descriptor)
        rest = self._pending.pop(stream, b"")
        if rest:
            # A part of a line, for nothing ended it.
            self._append(f"{timestamp(time.time_ns())} {stream} P ".encode() + rest + b"\n")

    def _finish(self) -> None:
        if not self._done.is_set():
            self._file.close()
            self._done.set()
            self._wake()

    def _write(self, stream: str, data: bytes) -> None:
        *lines, rest = (self._pending.pop(stream, b"") + data).split(b"\n")
        head = f"{timestamp(time.time_ns())} {stream} ".encode()
        out = [entry for line in lines for entry in _entries(head, line)]
        while len(rest) > _LONGEST:
            out.append(head + b"P " + rest[:_LONGEST] + b"\n")
            rest = rest[_LONGEST:]
        if rest:
            self._pending[stream] = rest
        if out:
            self._append(b"".join(out))

    def _append(self, data: bytes) -> None:
        if self._size + len(data) > self._limit:
            self._rotate()
        self._file.write(data)
        self._size += len(data)
        self._wake()

    def _rotate(self) -> None:
        self._file.close()
        self.path.replace(rotated(self.path))
        self._file = self.path.open("wb", buffering=0)
        self._size = 0
        self.generation += 1

    def _wake(self) -> None:
        # Whoever waits has the old event; whoever comes later waits for the next change.
        self._changed.set()
        if not self._done.is_set():
            self._changed = asyncio.Event()


def _entries(head: bytes, line: bytes) -> list[bytes]:
    entries = []
    while len(line) > _LONGEST:
        entries.append(head + b"P " + line[:_LONGEST] + b"\n")
        line = line[_LONGEST:]
    entries.append(head + b"F " + line + b"\n")
    return entries


def _set_aside(path: Path) -> None:
    """Keep the log of an earlier Pod of the same name: it may be evidence."""
    number = 1
    while path.exists():
        older = path.with_name(f"{path.stem}.{number}.old{path.suffix}")
        if not older.exists():
            path.rename(older)
        number += 1

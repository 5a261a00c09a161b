"""Reading a container's log back as the API's `log` subresource asks for it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded.node.logs.writer import ContainerLog, rotated, timestamp

_CHUNK = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """The wanted part of a log. `since` is nanoseconds since the epoch."""

    follow: bool = False
    tail_lines: int | None = None
    since: int | None = None
    timestamps: bool = False
    limit_bytes: int | None = None


async def read_log(log: ContainerLog, options: LogOptions) -> AsyncIterator[bytes]:
    """Yield the wanted part of `log` in pieces; with `follow`, until the container has ended."""
    left = options.limit_bytes
    async for piece in _pieces(log, options):
        if left is not None and len(piece) >= left:
            yield piece[:left]
            return
        left = None if left is None else left - len(piece)
        yield piece


def last_lines(log: ContainerLog, count: int, limit: int) -> str:
    """Return the end of `log`: at most `count` lines and `limit` bytes."""
    lines = _selected(_stored(log.path), LogOptions(tail_lines=count))
    return b"".join(lines)[-limit:].decode(errors="replace")


async def _pieces(log: ContainerLog, options: LogOptions) -> AsyncIterator[bytes]:
    tail = _Tail(log)
    for block in _blocks(_selected(tail.stored(), options)):
        yield block
    if not options.follow:
        return
    while True:
        ended = log.closed
        block = b"".join(_selected(tail.more(), LogOptions(timestamps=options.timestamps)))
        if block:
            yield block
        elif ended:
            return
        else:
            await log.changed()


class _Tail:
    """A place in a log, which moves on as the log grows and is rotated."""

    def __init__(self, log: ContainerLog) -> None:
        self._log = log
        self._offset = 0
        self._generation = log.generation

    def stored(self) -> list[bytes]:
        entries = _entries(rotated(self._log.path), 0)[0] if self._log.generation else []
        return entries + self.more()

    def more(self) -> list[bytes]:
        entries: list[bytes] = []
        turns = self._log.generation - self._generation
        if turns:
            # After several rotations the older half is one that was never looked at.
            entries, _ = _entries(rotated(self._log.path), self._offset if turns == 1 else 0)
            self._generation, self._offset = self._log.generation, 0
        fresh, self._offset = _entries(self._log.path, self._offset)
        return entries + fresh


def _stored(path: Path) -> list[bytes]:
    return _entries(path, 0)[0]


def _entries(path: Path, offset: int) -> tuple[list[bytes], int]:
    """Return the whole entries from `offset` on, and where they end."""
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read()
    whole = data.rfind(b"\n") + 1
    return data[:whole].splitlines(keepends=True), offset + whole


def _selected(entries: list[bytes], options: LogOptions) -> Iterator[bytes]:
    if options.since is not None:
        first = timestamp(options.since).encode()
        entries = [entry for entry in entries if entry[: len(first)] >= first]
    if options.tail_lines is not None:
        entries = list(deque(entries, maxlen=options.tail_lines))
    for entry in entries:
        time, _, tag, text = entry.split(b" ", 3)
        body = text[:-1] if tag == b"P" else text
        yield time + b" " + body if options.timestamps else body


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    block = bytearray()
    for line in lines:
        block += line
        if len(block) > _CHUNK:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)

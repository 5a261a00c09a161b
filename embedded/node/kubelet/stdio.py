"""The streams between a command in a container and whoever asked for it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import struct
import termios
from dataclasses import dataclass
from typing import Self

from embedded.node.kubelet.sink import Sink
from embedded.runtime.model import Streams

_LIMIT = 256 * 1024  # bytes that are read ahead of a slow client


@dataclass(frozen=True, kw_only=True)
class RequestedStreams:
    """The streams that the client asked for."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


class _OutputProtocol(asyncio.StreamReaderProtocol):
    """Takes EIO, with which a terminal ends, for the end.

    A StreamReader that is told of an error gives nothing more, not even what it has read already.
    """

    def connection_lost(self, exc: Exception | None) -> None:
        ended = isinstance(exc, OSError) and exc.errno == errno.EIO
        super().connection_lost(None if ended else exc)


class Stdio:
    """Both ends of a command's streams; `streams` are its own."""

    def __init__(self, wanted: RequestedStreams) -> None:
        self._open: list[int] = []
        self._terminal: int | None = None
        self._ours: dict[str, int] = {}
        self._read: list[asyncio.BaseTransport] = []
        self.streams = self._terminal_streams() if wanted.tty else self._pipes(wanted)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.started()
        # A child of the command may hold the other end for long after it.
        for transport in self._read:
            transport.close()
        for descriptor in self._ours.values():
            os.close(descriptor)
        if self._terminal is not None:
            os.close(self._terminal)

    def started(self) -> None:
        """Give up the command's own ends: it has them now."""
        while self._open:
            os.close(self._open.pop())

    def sink(self) -> Sink | None:
        """Return what leads to the command's stdin, if it was asked for."""
        descriptor = self._ours.pop("stdin", None)
        return None if descriptor is None else Sink(descriptor)

    async def reader(self, name: str) -> asyncio.StreamReader | None:
        """Return what comes from the command's `stdout` or `stderr`, if it was asked for."""
        descriptor = self._ours.pop(name, None)
        if descriptor is None:
            return None
        reader = asyncio.StreamReader(limit=_LIMIT)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: _OutputProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
        )
        self._read.append(transport)
        return reader

    def resize(self, message: bytes) -> None:
        """Set the terminal's size from `{"Width": columns, "Height": rows}`."""
        if self._terminal is None:
            return
        # A size that cannot be read changes nothing, as on a kubelet.
        with contextlib.suppress(ValueError, KeyError, TypeError, struct.error, OSError):
            size = json.loads(message)
            packed = struct.pack("4H", size["Height"], size["Width"], 0, 0)
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, packed)

    def _pipes(self, wanted: RequestedStreams) -> Streams:
        theirs: dict[str, int | None] = {"stdin": None, "stdout": None, "stderr": None}
        if wanted.stdin:
            theirs["stdin"], self._ours["stdin"] = os.pipe2(os.O_CLOEXEC)
        for name in ("stdout", "stderr"):
            if getattr(wanted, name):
                self._ours[name], theirs[name] = os.pipe2(os.O_CLOEXEC)
        self._open = [d for d in theirs.values() if d is not None]
        return Streams(**theirs)

    def _terminal_streams(self) -> Streams:
        self._terminal, theirs = os.openpty()
        self._open = [theirs]
        self._ours = {name: os.dup(self._terminal) for name in ("stdin", "stdout")}
        return Streams(stdin=theirs, stdout=theirs, stderr=theirs)

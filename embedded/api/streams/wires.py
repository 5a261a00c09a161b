"""Bytes both ways between a client and this server, in place of the HTTP that began there."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Protocol

import aiohttp
from aiohttp import web

_MOST_UNREAD = 1 << 20


class Wire(Protocol):
    """A connection that carries bytes."""

    async def send(self, data: bytes) -> None:
        """Send bytes, at the pace in which the client takes them; raises ConnectionError."""
        ...

    def received(self) -> AsyncIterator[bytes]:
        """Yield what comes, until the client ends the connection."""
        ...


class Answered(web.StreamResponse):
    """The answer of a request whose connection has had it, and is to be closed now."""

    def __init__(self) -> None:
        super().__init__()
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> None:
        """Send nothing."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Send nothing."""


class UpgradedConnection(asyncio.Protocol):
    """A connection that was HTTP before."""

    def __init__(self, request: web.BaseRequest) -> None:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client has gone")
        self._transport: Any = transport
        self._before: Any = transport.get_protocol()
        self._task = request.task
        self._unread: deque[bytes] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False

    def switch(self, headers: dict[str, str]) -> None:
        """Answer 101; from here on HTTP has no part in it."""
        lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._transport.set_protocol(self)
        self._transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def release(self) -> Answered:
        """Give the connection back to its server, which closes it after the answer."""
        if self._ended:
            self._task.add_done_callback(lambda _: self._before.connection_lost(None))
        else:
            self._transport.set_protocol(self._before)
        return Answered()

    async def send(self, data: bytes) -> None:
        """Send bytes, at the pace in which the client takes them; raises ConnectionError."""
        if self._ended:
            raise ConnectionResetError("the client has gone")
        self._transport.write(data)
        await self._writable.wait()

    async def received(self) -> AsyncIterator[bytes]:
        """Yield what comes, until the client ends the connection."""
        while True:
            while self._unread:
                data = self._unread.popleft()
                self._size -= len(data)
                if self._size < _MOST_UNREAD <= self._size + len(data):
                    self._transport.resume_reading()
                yield data
            if self._ended:
                return
            self._news.clear()
            await self._news.wait()

    def data_received(self, data: bytes) -> None:
        """Keep what came, and let no more come than is read."""
        before, self._size = self._size, self._size + len(data)
        self._unread.append(data)
        if before < _MOST_UNREAD <= self._size:
            self._transport.pause_reading()
        self._news.set()

    def connection_lost(self, _error: Exception | None) -> None:
        """End what waits."""
        self._ended = True
        self._news.set()
        self._writable.set()

    def pause_writing(self) -> None:
        """Make senders wait."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let senders go on."""
        self._writable.set()


class Tunnel:
    """Bytes in the binary messages of a WebSocket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def send(self, data: bytes) -> None:
        """Send bytes; raises ConnectionError."""
        await self._socket.send_bytes(data)

    async def received(self) -> AsyncIterator[bytes]:
        """Yield what comes, until the client ends the connection."""
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                yield message.data

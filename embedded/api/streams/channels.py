"""The client's end of a command: its streams as messages that begin with a channel's number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from types import MappingProxyType
from typing import Protocol

import aiohttp
from aiohttp import web

from embedded.api.streams import spdy
from embedded.api.streams.framing import STATUS, Framing, failure_text
from embedded.api.streams.wires import Wire

STDIN, RESIZE, CLOSE = 0, 4, 255
_CHANNELS: Mapping[str, int] = MappingProxyType(
    {"stdin": STDIN, "stdout": 1, "stderr": 2, "error": STATUS, "resize": RESIZE}
)
_OPEN_SECONDS = 30.0
_WITH_STATUS = "v4.channel.k8s.io"
SPDY_PROTOCOLS = (_WITH_STATUS, "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io", "")
"""Of a command over SPDY; before the fourth its end is told in words."""


class Channels(Protocol):
    """A client that sends and takes messages as the way to the node has them."""

    def received(self) -> AsyncIterator[bytes]:
        """Yield the client's messages until it has gone."""
        ...

    async def send(self, data: bytes) -> None:
        """Hand a message to the client; raises ConnectionError."""
        ...

    async def close(self) -> None:
        """End the conversation."""
        ...


class WebSocketChannels:
    """A client that speaks WebSocket in one of its subprotocols."""

    def __init__(self, socket: web.WebSocketResponse, framing: Framing) -> None:
        self._socket = socket
        self._framing = framing

    async def received(self) -> AsyncIterator[bytes]:
        """Yield the client's messages until it has gone."""
        async for message in self._socket:
            if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                data = self._framing.inwards(message.data)
                if data:
                    yield data

    async def send(self, data: bytes) -> None:
        """Hand a message to the client; raises ConnectionError."""
        message = self._framing.outwards(data)
        if isinstance(message, str):
            await self._socket.send_str(message)
        elif message is not None:
            await self._socket.send_bytes(message)

    async def close(self) -> None:
        """End the conversation."""
        await self._socket.close()


class SpdyChannels:
    """A client that speaks SPDY: one of its streams for each channel."""

    def __init__(self, wire: Wire, protocol: str, wanted: Collection[str]) -> None:
        self._wire = wire
        self._protocol = protocol
        self._waiting = {_CHANNELS[name] for name in wanted}
        self._streams: dict[int, int] = {}
        self._complete = asyncio.Event()
        self._decoder, self._encoder = spdy.Decoder(), spdy.Encoder()

    async def received(self) -> AsyncIterator[bytes]:
        """Yield the client's messages until it has gone; raises SpdyError."""
        async for data in self._wire.received():
            for event in self._decoder.feed(data):
                if isinstance(event, spdy.Opened):
                    await self._open(event)
                elif isinstance(event, spdy.Ping):
                    await self._wire.send(event.frame)
                elif isinstance(event, spdy.Data):
                    for message in self._messages(event):
                        yield message

    def _messages(self, event: spdy.Data) -> list[bytes]:
        channel = next((at for at, stream in self._streams.items() if stream == event.stream), -1)
        if channel not in (STDIN, RESIZE):
            return []
        found = [bytes([channel]) + event.data] if event.data else []
        return [*found, bytes([CLOSE, STDIN])] if event.final and channel == STDIN else found

    async def _open(self, event: spdy.Opened) -> None:
        channel = _CHANNELS.get(event.headers.get("streamtype", ""))
        if channel is None:
            await self._wire.send(self._encoder.reset(event.stream))
            return
        self._streams[channel] = event.stream
        await self._wire.send(self._encoder.reply(event.stream))
        if self._waiting <= self._streams.keys():
            self._complete.set()

    async def send(self, data: bytes) -> None:
        """Hand a message to the client once it has all its streams; raises ConnectionError."""
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                await self._complete.wait()
        except TimeoutError as error:
            raise ConnectionResetError("the client opens no streams") from error
        channel, rest = data[0], data[1:]
        if channel == STATUS and self._protocol != _WITH_STATUS:
            rest = failure_text(rest)
        stream = self._streams.get(channel)
        if stream is not None and rest:
            await self._wire.send(self._encoder.data(stream, rest))

    async def close(self) -> None:
        """End every stream; the connection ends with the request."""
        for channel, stream in self._streams.items():
            if channel not in (STDIN, RESIZE):
                await self._wire.send(self._encoder.data(stream, b"", final=True))

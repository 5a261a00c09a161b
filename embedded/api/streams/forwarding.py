"""Port-forward over SPDY: each connection has a stream for bytes and one for words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import aiohttp

from embedded.api.errors import ApiError
from embedded.api.streams import spdy
from embedded.api.streams.wires import Wire

PROTOCOL = "portforward.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
"""The WebSocket subprotocol that carries the same in its messages."""
_WAITING = 64
_DATA, _ERROR, _CLOSE = 0, 1, 255

Connect = Callable[[int], AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]]
"""From a port to channels into the Pod; raises ApiError."""


@dataclass
class _Pair:
    """The two streams of a connection, as far as the client has opened them."""

    port: int
    streams: dict[str, int] = field(default_factory=dict)
    # None is the end of what the client has to say.
    inwards: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(_WAITING))


class SpdyForward:
    """One client with all its connections."""

    def __init__(self, wire: Wire, connect: Connect) -> None:
        self._wire = wire
        self._connect = connect
        self._pairs: dict[str, _Pair] = {}
        self._by_stream: dict[int, _Pair] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._decoder, self._encoder = spdy.Decoder(), spdy.Encoder()

    async def run(self) -> None:
        """Carry connections until the client has gone; raises SpdyError."""
        try:
            async for data in self._wire.received():
                for event in self._decoder.feed(data):
                    await self._handle(event)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _handle(self, event: spdy.Event) -> None:
        if isinstance(event, spdy.Ping):
            await self._wire.send(event.frame)
        elif isinstance(event, spdy.Opened):
            await self._open(event)
        elif isinstance(event, spdy.Reset) and event.stream in self._tasks:
            self._tasks[event.stream].cancel()
        elif isinstance(event, spdy.Data):
            await self._take(event)

    async def _open(self, event: spdy.Opened) -> None:
        kind, port = event.headers.get("streamtype", ""), event.headers.get("port", "")
        if kind not in {"data", "error"} or not port.isdecimal() or not 0 < int(port) < 65536:
            await self._wire.send(self._encoder.reset(event.stream))
            return
        pair = self._pairs.setdefault(event.headers.get("requestid", ""), _Pair(int(port)))
        pair.streams[kind] = event.stream
        await self._wire.send(self._encoder.reply(event.stream))
        if len(pair.streams) == 2:
            self._pairs.pop(event.headers.get("requestid", ""), None)
            stream = pair.streams["data"]
            self._by_stream[stream] = pair
            self._tasks[stream] = asyncio.create_task(self._carry(pair))

    async def _take(self, event: spdy.Data) -> None:
        pair = self._by_stream.get(event.stream)
        if pair is None:
            return
        if event.data:
            await pair.inwards.put(event.data)
        if event.final:
            await pair.inwards.put(None)

    async def _carry(self, pair: _Pair) -> None:
        data, error = pair.streams["data"], pair.streams["error"]
        try:
            async with self._connect(pair.port) as link:
                inwards = asyncio.create_task(_feed(pair, link))
                try:
                    await self._outwards(link, pair)
                finally:
                    inwards.cancel()
        except ApiError as refusal:
            await self._wire.send(self._encoder.data(error, refusal.message.encode()))
        finally:
            self._by_stream.pop(data, None)
            # Whoever still hands in bytes must not wait for a connection that is over.
            while not pair.inwards.empty():
                pair.inwards.get_nowait()
        for stream in (error, data):
            await self._wire.send(self._encoder.data(stream, b"", final=True))

    async def _outwards(self, link: aiohttp.ClientWebSocketResponse, pair: _Pair) -> None:
        kinds = {_DATA: pair.streams["data"], _ERROR: pair.streams["error"]}
        begun: set[int] = set()
        async for message in link:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel = message.data[0]
            if channel not in begun:
                # The first message of a channel names the port.
                begun.add(channel)
            elif channel in kinds:
                await self._wire.send(self._encoder.data(kinds[channel], message.data[1:]))


async def _feed(pair: _Pair, link: aiohttp.ClientWebSocketResponse) -> None:
    while (data := await pair.inwards.get()) is not None:
        await link.send_bytes(bytes([_DATA]) + data)
    await link.send_bytes(bytes([_CLOSE, _DATA]))

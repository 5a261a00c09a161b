"""Port-forward: connections into a Pod's loopback, over one WebSocket.

Port number i has channel 2i for data and 2i+1 for an error; each begins with the port as two
bytes, little end first (kubernetes/kubernetes, pkg/kubelet/cri/streaming/portforward). The API
server also sends 255 and a channel: that the client has no more to say there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from collections.abc import Sequence
from socket import SHUT_WR
from socket import socket as Socket  # noqa: N812  # a class, told apart from the WebSocket
from typing import Any

from aiohttp import WSMsgType, web

from embedded.node.kubelet.channels import CLOSE
from embedded.runtime.model import BoxError, Sandbox
from embedded.runtime.runtime import Runtime

_CHUNK = 64 * 1024


async def forward(
    runtime: Runtime, sandbox: Sandbox, ports: Sequence[int], socket: web.WebSocketResponse
) -> None:
    """Connect each of `ports`, and carry bytes until all connections or the client are gone."""
    for number, port in enumerate(ports):
        for channel in (2 * number, 2 * number + 1):
            await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
    connections: dict[int, Socket] = {}
    for number, port in enumerate(ports):
        try:
            connections[2 * number] = await runtime.connect(sandbox, port)
        except (OSError, BoxError) as error:
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            text = f"error forwarding port {port} to pod {sandbox.name}: {why}"
            await socket.send_bytes(bytes([2 * number + 1]) + text.encode())
    try:
        await _carry(connections, socket)
    finally:
        for connection in connections.values():
            connection.close()


async def _carry(connections: dict[int, Socket], socket: web.WebSocketResponse) -> None:
    inwards = asyncio.create_task(_receive(socket, connections))
    outwards = [
        asyncio.create_task(_send(connection, channel, socket))
        for channel, connection in connections.items()
    ]
    try:
        if outwards:
            ends: list[asyncio.Future[Any]] = [inwards, asyncio.gather(*outwards)]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (inwards, *outwards):
            task.cancel()
        await asyncio.gather(inwards, *outwards, return_exceptions=True)


async def _send(connection: Socket, channel: int, socket: web.WebSocketResponse) -> None:
    loop, head = asyncio.get_running_loop(), bytes([channel])
    try:
        while data := await loop.sock_recv(connection, _CHUNK):
            await socket.send_bytes(head + data)
    except ConnectionError as error:
        if not socket.closed:
            await socket.send_bytes(bytes([channel + 1]) + str(error).encode())


async def _receive(socket: web.WebSocketResponse, connections: dict[int, Socket]) -> None:
    loop = asyncio.get_running_loop()
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        if message.data[0] == CLOSE:
            _end(connections.get(message.data[1]))
            continue
        connection = connections.get(message.data[0])
        if connection is None:
            continue
        try:
            await loop.sock_sendall(connection, message.data[1:])
        except ConnectionError:
            # Its other direction may still have something to say, and ends by itself.
            connections.pop(message.data[0], None)
    for connection in connections.values():
        _end(connection)


def _end(connection: Socket | None) -> None:
    """Tell the other end that nothing more comes."""
    if connection is not None:
        # Where that has gone there is nobody to tell.
        with contextlib.suppress(OSError):
            connection.shutdown(SHUT_WR)

"""Attaching to a container: what it says from now on, for a client at the end of a WebSocket."""

from __future__ import annotations

import asyncio

from aiohttp import web

from embedded.node.kubelet.channels import STDOUT, exit_message
from embedded.node.logs.reader import LogOptions, read_log
from embedded.node.logs.writer import ContainerLog
from embedded.runtime.model import ExitStatus

_FROM_NOW_ON = LogOptions(follow=True, tail_lines=0)


async def attach(log: ContainerLog, socket: web.WebSocketResponse) -> None:
    """Send what is written to `log` until its container ends or the client has gone."""
    tasks = [asyncio.create_task(_send(log, socket)), asyncio.create_task(_wait(socket))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(log: ContainerLog, socket: web.WebSocketResponse) -> None:
    async for piece in read_log(log, _FROM_NOW_ON):
        await socket.send_bytes(bytes([STDOUT]) + piece)
    await socket.send_bytes(exit_message(ExitStatus(code=0)))


async def _wait(socket: web.WebSocketResponse) -> None:
    """Wait for the client to go; a container takes no input."""
    async for _ in socket:
        pass

"""Running a command in a container for a client at the other end of a WebSocket."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from embedded.node.kubelet.channels import (
    CLOSE,
    RESIZE,
    STDERR,
    STDIN,
    STDOUT,
    exit_message,
    failure_message,
)
from embedded.node.kubelet.output import Output
from embedded.node.kubelet.sink import Sink
from embedded.node.kubelet.stdio import RequestedStreams, Stdio
from embedded.runtime.model import BoxError, ExitStatus
from embedded.runtime.runtime import Process, Runtime


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command to run, and the container to run it in."""

    process: Process
    argv: Sequence[str]
    environment: Mapping[str, str]
    cwd: str


async def run_command(
    runtime: Runtime, command: Command, wanted: RequestedStreams, socket: web.WebSocketResponse
) -> None:
    """Run `command`, carry its streams over `socket`, and send how it ended."""
    async with Stdio(wanted) as stdio:
        environment = dict(command.environment)
        if wanted.tty:
            environment.setdefault("TERM", "xterm")
        try:
            process = await runtime.exec(
                command.process,
                command.argv,
                env=environment,
                cwd=command.cwd,
                streams=stdio.streams,
                tty=wanted.tty,
            )
        except BoxError as error:
            await socket.send_bytes(failure_message(str(error)))
            return
        stdio.started()
        await _carry(process, stdio, socket)


async def cut_off(socket: web.WebSocketResponse) -> None:
    """Answer as a server does whose kubelet restarts during the command: nothing, and Success."""
    await socket.send_bytes(bytes([STDOUT]))
    await socket.send_bytes(exit_message(ExitStatus(code=0)))


async def _carry(process: Process, stdio: Stdio, socket: web.WebSocketResponse) -> None:
    ended = asyncio.create_task(process.wait())
    outputs = [
        asyncio.create_task(_send(Output(reader, ended), channel, socket))
        for name, channel in (("stdout", STDOUT), ("stderr", STDERR))
        if (reader := await stdio.reader(name)) is not None
    ]
    inputs = asyncio.create_task(_receive(socket, stdio, stdio.sink()))
    try:
        await asyncio.wait([ended, inputs], return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            # The client has gone; nobody would ever see what the command does now.
            process.signal(signal.SIGKILL)
        status = await ended
        # A client may take its time over what it is sent, unless it goes.
        sent: asyncio.Future[Any] = asyncio.gather(*outputs)
        await asyncio.wait([sent, inputs], return_when=asyncio.FIRST_COMPLETED)
        if not socket.closed:
            await socket.send_bytes(exit_message(status))
    except ConnectionError:
        process.signal(signal.SIGKILL)
    finally:
        for task in (*outputs, inputs, ended):
            task.cancel()


async def _send(output: Output, channel: int, socket: web.WebSocketResponse) -> None:
    head = bytes([channel])
    try:
        while data := await output.read():
            await socket.send_bytes(head + data)
    except OSError:
        # A reset connection is seen by whoever receives.
        return


async def _receive(socket: web.WebSocketResponse, stdio: Stdio, stdin: Sink | None) -> None:
    """Hand on what the client sends, until it has gone."""
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                data = message.data.encode()
            elif message.type is WSMsgType.BINARY:
                data = message.data
            else:
                continue
            if data[:1] == bytes([STDIN]) and stdin is not None:
                await _feed(stdin, data[1:])
            elif data[:2] == bytes([CLOSE, STDIN]) and stdin is not None:
                stdin.close()
            elif data[:1] == bytes([RESIZE]):
                stdio.resize(data[1:])
    finally:
        if stdin is not None:
            stdin.close()


async def _feed(stdin: Sink, data: bytes) -> None:
    try:
        await stdin.send(data)
    except OSError:
        # The command has closed its input, and goes on without.
        stdin.close()

"""Running a command in a container, over the WebSocket protocol of the exec subresource.

Every message begins with a byte that names its channel: 0 stdin, 1 stdout, 2 stderr, 3 the
final Status. `v5.channel.k8s.io` adds 255, which closes the channel named by the byte after it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from embedded.client.errors import Unreachable

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
_CHUNK = 32 * 1024


@dataclass(frozen=True, kw_only=True)
class ExecResult:
    """The end of a command, and all that it wrote.

    `code` is its exit status; -1 when it could not be run, and `error` says why.
    """

    code: int
    stdout: bytes
    stderr: bytes
    error: str = ""


class Socket(aiohttp.ClientWebSocketResponse):
    """A WebSocket whose transport can be reached."""

    @property
    def transport(self) -> asyncio.Transport | None:
        """The transport of the connection; None once that is closed."""
        return self._response.connection.transport if self._response.connection else None


@asynccontextmanager
async def cut_off(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[None]:
    """Cut the connection at the end of the block.

    A polite end would wait for the server's, which may come after the loop has stopped.
    """
    transport = socket.transport if isinstance(socket, Socket) else None
    try:
        yield
    finally:
        if transport:
            transport.abort()


async def converse(socket: aiohttp.ClientWebSocketResponse, stdin: bytes) -> ExecResult:
    """Send `stdin`, gather both outputs, and read the final Status. Raises Unreachable."""
    await _send(socket, stdin)
    channels: dict[int, bytearray] = {STDOUT: bytearray(), STDERR: bytearray(), STATUS: bytearray()}
    async for message in socket:
        if message.type is aiohttp.WSMsgType.BINARY and message.data:
            channels.get(message.data[0], bytearray()).extend(message.data[1:])
    if not channels[STATUS]:
        raise Unreachable("exec: the connection ended before the command's status came")
    code, error = _outcome(json.loads(channels[STATUS]))
    return ExecResult(
        code=code, stdout=bytes(channels[STDOUT]), stderr=bytes(channels[STDERR]), error=error
    )


async def _send(socket: aiohttp.ClientWebSocketResponse, stdin: bytes) -> None:
    for start in range(0, len(stdin), _CHUNK):
        await socket.send_bytes(bytes([STDIN]) + stdin[start : start + _CHUNK])
    # v4 cannot close a channel: there the command must know where its input ends.
    if stdin and socket.protocol == PROTOCOLS[0]:
        await socket.send_bytes(bytes([CLOSE, STDIN]))


def _outcome(status: dict[str, Any]) -> tuple[int, str]:
    if status.get("status") == "Success":
        return 0, ""
    message = str(status.get("message") or "")
    for cause in (status.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"]), message
    return -1, message

"""A stand-in for the node: speaks the kubelet's HTTPS API, and echoes what it is asked.

The command `cat` answers with its input, `fail` ends with code 3, everything else is repeated.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import WSMsgType, web

from tests.embedded.api.serving import make_certificates

TOKEN = "kubelet-token"
SOCKET = "socket"
"""Name of the file at which the same is served without TLS, in the folder of the certificates."""
CLOSED = 9
"""A port on which nobody listens."""
_STDOUT, _STDERR, _STATUS, _CLOSE = 1, 2, 3, 255


def _status(code: int) -> bytes:
    if code == 0:
        return json.dumps({"status": "Success", "metadata": {}}).encode()
    cause = {"reason": "ExitCode", "message": str(code)}
    failure = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [cause]}}
    return json.dumps(failure | {"message": f"command terminated with exit code {code}"}).encode()


async def _exec(request: web.Request) -> web.StreamResponse:
    command = request.query.getall("command", [])
    if request.match_info["container"] == "creating":
        raise web.HTTPNotFound(text='container not found ("creating")')
    socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io", "v4.channel.k8s.io"))
    await socket.prepare(request)
    if command == ["cat"]:
        await _echo(socket)
    elif command == ["wait"]:
        async for _ in socket:
            pass
    elif command == ["fail"]:
        await socket.send_bytes(bytes([_STDERR]) + b"no\n")
    else:
        where = f"{request.match_info['container']}: {' '.join(command)}\n"
        await socket.send_bytes(bytes([_STDOUT]) + where.encode())
    await socket.send_bytes(bytes([_STATUS]) + _status(3 if command == ["fail"] else 0))
    await socket.close()
    return socket


async def _attach(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
    await socket.prepare(request)
    await socket.send_bytes(bytes([_STDOUT]) + b"later\n")
    await socket.send_bytes(bytes([_STATUS]) + _status(0))
    await socket.close()
    return socket


async def _echo(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
        if data[:1] == bytes([_CLOSE]) or data == b"\x00end\n":
            return
        await socket.send_bytes(bytes([_STDOUT]) + data[1:])


async def _forward(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
    await socket.prepare(request)
    port = int(request.query["port"])
    if port == CLOSED:
        await socket.send_bytes(b"\x00" + struct.pack("<H", port))
        await socket.send_bytes(b"\x01" + struct.pack("<H", port))
        await socket.send_bytes(b"\x01Connection refused")
        return socket
    for channel in (0, 1):
        await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
    async for message in socket:
        if message.data[0] == _CLOSE:
            break
        await socket.send_bytes(b"\x00" + message.data[1:].upper())
    await socket.close()
    return socket


async def _logs(request: web.Request) -> web.StreamResponse:
    if request.match_info["container"] == "starting":
        raise web.HTTPBadRequest(text='container "starting" in pod "p" is waiting to start')
    answer = web.StreamResponse()
    await answer.prepare(request)
    for line in range(int(request.query.get("tailLines", "3"))):
        await answer.write(f"line {line}\n".encode())
    return answer


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        raise web.HTTPUnauthorized
    return await handler(request)


async def _serve(
    folder: Path, ports: list[int], ready: threading.Event, stop: asyncio.Event
) -> None:
    made = make_certificates(folder)
    app = web.Application(middlewares=[_admit])
    app.router.add_get("/exec/{namespace}/{pod}/{container}", _exec)
    app.router.add_get("/attach/{namespace}/{pod}/{container}", _attach)
    app.router.add_get("/portForward/{namespace}/{pod}", _forward)
    app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", _logs)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made.certificate, made.key)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    ports.append(runner.addresses[0][1])
    await web.UnixSite(runner, folder / SOCKET).start()
    ready.set()
    await stop.wait()
    await runner.cleanup()


@contextmanager
def stand_in(folder: Path) -> Iterator[dict[str, str]]:
    """The `kubelet` entry of an `api.json`."""
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), list[int]()
    stop = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(_serve(folder, ports, ready, stop))
    )
    thread.start()
    assert ready.wait(60)
    try:
        url = f"https://127.0.0.1:{ports[0]}"
        yield {"url": url, "ca": str(folder / "ca.crt"), "token": TOKEN}
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()

"""Exec, attach, port-forward and logs: handed on to the node, as to a kubelet.

What a client cannot be served is said last: why its container cannot be reached goes first.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import aiohttp
from aiohttp import web
from multidict import MultiDict

from embedded.api import errors, reads
from embedded.api.calls import Call
from embedded.api.config import Kubelet
from embedded.api.errors import ApiError
from embedded.api.jsons import Json, at
from embedded.api.store import Store
from embedded.api.streams import framing
from embedded.api.streams.channels import (
    SPDY_PROTOCOLS,
    Channels,
    SpdyChannels,
    WebSocketChannels,
)
from embedded.api.streams.forwarding import PROTOCOL, TUNNEL, SpdyForward
from embedded.api.streams.framing import EXEC_PROTOCOLS, FORWARD_PROTOCOLS, Framing
from embedded.api.streams.node import NodeLink
from embedded.api.streams.spdy import SpdyError
from embedded.api.streams.wires import Tunnel, UpgradedConnection

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_STREAMS = (("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty"))
_LOG_OPTIONS = (
    "follow",
    "previous",
    "sinceSeconds",
    "sinceTime",
    "timestamps",
    "tailLines",
    "limitBytes",
)
_NODE_COMMAND, _NODE_FORWARD = "v5.channel.k8s.io", "v4.channel.k8s.io"
_SPDY = "spdy/3.1"


class KubeletProxy:
    """The way to the node."""

    def __init__(self, kubelet: Kubelet | None, store: Store) -> None:
        self._store = store
        self._link = NodeLink(kubelet)

    async def close(self) -> None:
        """Close what is open to the node."""
        await self._link.close()

    async def execute(self, call: Call) -> web.StreamResponse:
        """Run a command in a container."""
        if not call.request.query.getall("command", []):
            raise errors.bad_request("you must specify at least 1 command to execute")
        return await self._command(call, "exec")

    async def attach(self, call: Call) -> web.StreamResponse:
        """Show what a container says from now on."""
        return await self._command(call, "attach")

    async def _command(self, call: Call, action: str) -> web.StreamResponse:
        pod = self._pod(call)
        if at(pod, "status", "phase") in {"Succeeded", "Failed"}:
            phase = pod["status"]["phase"]
            text = "cannot exec into a container in a completed pod; current phase is"
            raise errors.bad_request(f"{text} {phase}")
        container = _container(pod, call.text("container"))
        query = MultiDict(("command", word) for word in call.request.query.getall("command", []))
        wanted = {"error"}
        for ours, theirs in _STREAMS:
            if call.flag(ours):
                query.add(theirs, "1")
                wanted.add("resize" if ours == "tty" else ours)
        if call.flag("tty"):
            wanted.discard("stderr")
        path = f"{action}{_place(call)}/{container}"
        offered = _offered(call.request)
        served = SPDY_PROTOCOLS if _is_spdy(call.request) else EXEC_PROTOCOLS
        protocol = framing.chosen(offered, served)
        if protocol is None:
            raise await self._cannot(path, query, offered, served)
        async with self._link.channels(path, query, _NODE_COMMAND) as node:
            if _is_spdy(call.request):
                wire = _switched(call.request, protocol)
                await _talk(SpdyChannels(wire, protocol, wanted), node)
                return wire.release()
            socket = await _socket(call.request, protocol)
            await _talk(WebSocketChannels(socket, Framing(protocol, command=True)), node)
            return socket

    async def forward(self, call: Call) -> web.StreamResponse:
        """Carry connections to ports of a Pod."""
        self._pod(call)
        path = f"portForward{_place(call)}"
        offered, request = _offered(call.request), call.request
        served = (PROTOCOL,) if _is_spdy(request) else (TUNNEL, *FORWARD_PROTOCOLS)
        protocol = framing.chosen(offered, served)
        if protocol is None or protocol in {PROTOCOL, TUNNEL}:
            # No port is named yet, and one is enough to hear whether the Pod can be reached.
            refusal = await self._link.refusal(path, MultiDict(port="1"))
            if refusal is not None:
                raise refusal
        if protocol is None:
            raise _no_protocol(offered, served)
        if protocol in {PROTOCOL, TUNNEL}:
            return await self._forward_by_spdy(request, path, protocol)
        given = request.query.getall("ports", [])
        ports = [port for item in given for port in item.split(",")]
        query = MultiDict(("port", port) for port in ports)
        async with self._link.channels(path, query, _NODE_FORWARD) as node:
            socket = await _socket(request, protocol)
            await _talk(WebSocketChannels(socket, Framing(protocol, command=False)), node)
            return socket

    async def _forward_by_spdy(
        self, request: web.BaseRequest, path: str, protocol: str
    ) -> web.StreamResponse:
        def connect(port: int) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
            return self._link.channels(path, MultiDict(port=str(port)), _NODE_FORWARD)

        if protocol == TUNNEL:
            socket = await _socket(request, protocol)
            await _carried(SpdyForward(Tunnel(socket), connect))
            await socket.close()
            return socket
        wire = _switched(request, protocol)
        await _carried(SpdyForward(wire, connect))
        return wire.release()

    async def logs(self, call: Call) -> web.StreamResponse:
        """A container's log, as it is or as it grows."""
        pod = self._pod(call)
        container = _container(pod, call.text("container"))
        query = MultiDict((name, call.text(name)) for name in _LOG_OPTIONS if call.text(name))
        path = f"containerLogs{_place(call)}/{container}"
        async with self._link.get(path, query) as found:
            answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
            await answer.prepare(call.request)
            async for piece in found.content.iter_any():
                await answer.write(piece)
            await answer.write_eof()
            return answer

    def _pod(self, call: Call) -> Json:
        """The Pod, which has a node; raises ApiError 400, 404."""
        pod = reads.get(call, self._store).obj
        if not at(pod, "spec", "nodeName"):
            raise errors.bad_request(f"pod {call.path.name} does not have a host assigned")
        return pod

    async def _cannot(
        self, path: str, query: MultiDict[str], offered: Sequence[str], served: Sequence[str]
    ) -> ApiError:
        refusal = await self._link.refusal(path, query)
        return refusal or _no_protocol(offered, served)


async def _carried(forward: SpdyForward) -> None:
    with contextlib.suppress(SpdyError, ConnectionError):
        # The client has gone, or speaks something else: with it goes the connection.
        await forward.run()


def _is_spdy(request: web.BaseRequest) -> bool:
    return request.headers.get("Upgrade", "").lower() == _SPDY


def _offered(request: web.BaseRequest) -> list[str]:
    """The protocols that a client offers; raises ApiError 400 where it asks for no upgrade."""
    upgrade = request.headers.get("Upgrade", "").lower()
    if upgrade not in {_SPDY, "websocket"}:
        raise errors.bad_request("Upgrade request required")
    name = "X-Stream-Protocol-Version" if upgrade == _SPDY else "Sec-WebSocket-Protocol"
    lines = request.headers.getall(name, [])
    return [word.strip() for line in lines for word in line.split(",") if word.strip()]


def _no_protocol(offered: Sequence[str], served: Sequence[str]) -> ApiError:
    names = ", ".join(name or "none" for name in served)
    text = f"unable to upgrade: client supports [{', '.join(offered)}], server accepts [{names}]"
    return ApiError(403, "Forbidden", text)


def _switched(request: web.BaseRequest, protocol: str) -> UpgradedConnection:
    wire = UpgradedConnection(request)
    headers = {"Upgrade": "SPDY/3.1"}
    wire.switch(headers | ({"X-Stream-Protocol-Version": protocol} if protocol else {}))
    return wire


async def _socket(request: web.BaseRequest, protocol: str) -> web.WebSocketResponse:
    protocols = (protocol,) if protocol else ()
    socket = web.WebSocketResponse(protocols=protocols, max_msg_size=0, compress=False)
    await socket.prepare(request)
    return socket


def _place(call: Call) -> str:
    return f"/{call.path.namespace}/{call.path.name}"


def _container(pod: Json, asked: str) -> str:
    """The container that a request means; raises ApiError 400."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    groups = ("containers", "initContainers", "ephemeralContainers")
    names = [item["name"] for group in groups for item in spec.get(group) or []]
    if asked:
        if asked not in names:
            raise errors.bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    preferred = at(pod, "metadata", "annotations", _DEFAULT_CONTAINER)
    main = [item["name"] for item in spec["containers"]]
    if preferred in main:
        return str(preferred)
    if len(main) > 1:
        choice = " ".join(names)
        raise errors.bad_request(
            f"a container name must be specified for pod {name}, choose one of: [{choice}]"
        )
    return str(main[0])


async def _talk(client: Channels, node: aiohttp.ClientWebSocketResponse) -> None:
    """Pass messages until either side ends."""
    tasks = [
        asyncio.create_task(_inwards(client, node)),
        asyncio.create_task(_outwards(node, client)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    with contextlib.suppress(ConnectionError):
        await client.close()


async def _inwards(client: Channels, node: aiohttp.ClientWebSocketResponse) -> None:
    async for data in client.received():
        await node.send_bytes(data)


async def _outwards(node: aiohttp.ClientWebSocketResponse, client: Channels) -> None:
    async for message in node:
        if message.type is aiohttp.WSMsgType.BINARY and message.data:
            await client.send(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            await client.send(message.data.encode())

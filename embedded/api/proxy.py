"""Exec, port-forward and logs: handed on to the node, as a real server hands them to the kubelet.

Both sides speak WebSocket with the same subprotocol, so that messages pass as they are. Clients
that only know SPDY are told 501.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from multidict import MultiDict

from embedded.api import errors, reads
from embedded.api.calls import Call
from embedded.api.config import Kubelet
from embedded.api.errors import ApiError
from embedded.api.jsons import Json, at
from embedded.api.store import Store

EXEC_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
FORWARD_PROTOCOLS = ("v4.channel.k8s.io", "portforward.k8s.io")
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
_CHUNK = 64 * 1024
_CONNECT_SECONDS = 10.0


class KubeletProxy:
    """The way to the node; the session is opened with the first request."""

    def __init__(self, kubelet: Kubelet | None, store: Store) -> None:
        self._kubelet = kubelet
        self._store = store
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close what is open to the node."""
        if self._session is not None:
            await self._session.close()

    def _node(self) -> tuple[aiohttp.ClientSession, str]:
        if self._kubelet is None:
            text = "no node is known to this API server: api.json names no kubelet"
            raise ApiError(503, "ServiceUnavailable", text)
        if self._session is None:
            context = ssl.create_default_context(cafile=str(self._kubelet.ca))
            connector = aiohttp.TCPConnector(ssl=context, limit=0)
            headers = {"Authorization": f"Bearer {self._kubelet.token}"}
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector, headers=headers, timeout=timeout
            )
        return self._session, self._kubelet.url.rstrip("/")

    async def execute(self, call: Call) -> web.StreamResponse:
        """Run a command in a container."""
        pod = reads.get(call, self._store).obj
        container = _container(pod, call.text("container"))
        query = MultiDict(("command", word) for word in call.request.query.getall("command", []))
        for ours, theirs in _STREAMS:
            if call.flag(ours):
                query.add(theirs, "1")
        return await self._tunnel(call, f"exec{_place(call)}/{container}", query, EXEC_PROTOCOLS)

    async def forward(self, call: Call) -> web.StreamResponse:
        """Carry connections to ports of a Pod."""
        reads.get(call, self._store)
        given = call.request.query.getall("ports", [])
        ports = [port for item in given for port in item.split(",")]
        query = MultiDict(("port", port) for port in ports)
        return await self._tunnel(call, f"portForward{_place(call)}", query, FORWARD_PROTOCOLS)

    async def attach(self, _call: Call) -> web.StreamResponse:
        """Not served."""
        raise errors.not_implemented("attach")

    async def _tunnel(
        self, call: Call, path: str, query: MultiDict[str], protocols: Sequence[str]
    ) -> web.StreamResponse:
        chosen = _protocol(call.request, protocols)
        session, url = self._node()
        async with _connected(session, f"{url}/{path}", query, chosen) as node:
            client = web.WebSocketResponse(protocols=(chosen,), max_msg_size=0, compress=False)
            await client.prepare(call.request)
            await _both_ways(client, node)
            await client.close()
            return client

    async def logs(self, call: Call) -> web.StreamResponse:
        """A container's log, as it is or as it grows."""
        pod = reads.get(call, self._store).obj
        container = _container(pod, call.text("container"))
        query = {name: call.text(name) for name in _LOG_OPTIONS if call.text(name)}
        session, url = self._node()
        path = f"{url}/containerLogs{_place(call)}/{container}"
        try:
            async with session.get(path, params=query) as found:
                return await _relayed(call.request, found)
        except aiohttp.ClientConnectionError as error:
            raise _unreachable(error) from error


async def _relayed(request: web.BaseRequest, found: aiohttp.ClientResponse) -> web.StreamResponse:
    if found.status != 200:
        raise _told(found.status, await found.text())
    answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await answer.prepare(request)
    async for piece in found.content.iter_any():
        await answer.write(piece)
    await answer.write_eof()
    return answer


def _told(status: int, text: str) -> ApiError:
    reason = {400: "BadRequest", 404: "NotFound"}.get(status, "InternalError")
    return ApiError(status if reason != "InternalError" else 500, reason, text.strip())


def _unreachable(error: Exception) -> ApiError:
    return ApiError(
        500, "InternalError", f"Internal error occurred: error dialing the node: {error}"
    )


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


def _protocol(request: web.BaseRequest, served: Iterable[str]) -> str:
    """The subprotocol of a request; raises ApiError 400 or 501."""
    upgrade = request.headers.get("Upgrade", "").lower()
    if upgrade != "websocket":
        if upgrade.startswith("spdy"):
            raise errors.not_implemented("SPDY (use a client that speaks WebSocket)")
        raise errors.bad_request("Upgrade request required")
    offered = [
        word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    ]
    for protocol in offered:
        if protocol in served:
            return protocol
    raise errors.not_implemented(f"the subprotocol {' or '.join(offered) or '(none)'}")


@asynccontextmanager
async def _connected(
    session: aiohttp.ClientSession, url: str, query: MultiDict[str], protocol: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    try:
        connection = await session.ws_connect(
            url, params=query, protocols=(protocol,), max_msg_size=0, compress=0
        )
    except aiohttp.WSServerHandshakeError as error:
        raise _told(error.status, f"the node refused: {error.message}") from error
    except aiohttp.ClientConnectionError as error:
        raise _unreachable(error) from error
    async with connection:
        yield connection


async def _both_ways(client: Any, node: Any) -> None:
    """Pass messages until either side ends."""
    tasks = [
        asyncio.create_task(_pass(client, node)),
        asyncio.create_task(_pass(node, client)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass(source: Any, target: Any) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)

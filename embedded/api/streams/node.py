"""The way to the node: its HTTP API, over WebSocket for what flows both ways."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp
from multidict import MultiDict

from embedded.api.config import Kubelet
from embedded.api.errors import ApiError
from embedded.resumption import ResumingContext

T = TypeVar("T")
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 30.0
"""Seconds in which the node begins to answer; what it then sends may take any time."""
_LOCAL = "http://node"
"""Of what is asked over a socket file: its host is of no account."""
_REASONS = {400: "BadRequest", 404: "NotFound"}


class NodeLink:
    """Connections to the node; the session is opened with the first request."""

    def __init__(self, kubelet: Kubelet | None) -> None:
        self._kubelet = kubelet
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
            connector = _connector(self._kubelet)
            headers = {"Authorization": f"Bearer {self._kubelet.token}"}
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector, headers=headers, timeout=timeout
            )
        url = _LOCAL if self._kubelet.socket else self._kubelet.url.rstrip("/")
        return self._session, url

    @asynccontextmanager
    async def get(self, path: str, query: MultiDict[str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """A plain answer of the node; raises ApiError where it refuses or is away."""
        session, url = self._node()
        try:
            async with await _begun(session.get(f"{url}/{path}", params=query)) as found:
                if found.status != 200:
                    raise _refused(found.status, await found.text())
                yield found
        except aiohttp.ClientConnectionError as error:
            raise _unreachable(error) from error

    @asynccontextmanager
    async def channels(
        self, path: str, query: MultiDict[str], protocol: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Channels to a container; raises ApiError with the node's own reason against it."""
        session, url = self._node()
        try:
            connection = await _begun(
                session.ws_connect(
                    f"{url}/{path}", params=query, protocols=(protocol,), max_msg_size=0, compress=0
                )
            )
        except aiohttp.WSServerHandshakeError as error:
            raise await self._reason(path, query, error) from error
        async with connection:
            yield connection

    async def refusal(self, path: str, query: MultiDict[str]) -> ApiError | None:
        """Why the node would refuse these channels, for a client that cannot have them anyway."""
        try:
            async with self.get(path, query):
                return None
        except ApiError as error:
            # Without an upgrade this is the last thing that the node objects to.
            return None if "upgrade" in error.message.lower() else error

    async def _reason(
        self, path: str, query: MultiDict[str], refusal: aiohttp.WSServerHandshakeError
    ) -> ApiError:
        """The node's sentence, which the answer to a handshake hides: asked for once more."""
        session, url = self._node()
        async with await _begun(session.get(f"{url}/{path}", params=query)) as found:
            text = await found.text()
        if found.status != refusal.status:
            text = f"the node refused the connection with HTTP {refusal.status}"
        return _refused(refusal.status, text)


def _connector(kubelet: Kubelet) -> aiohttp.BaseConnector:
    if kubelet.socket is not None:
        return aiohttp.UnixConnector(path=str(kubelet.socket), limit=0)
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=str(kubelet.ca))
    return aiohttp.TCPConnector(ssl=context, limit=0)


async def _begun(answer: Awaitable[T]) -> T:
    """An answer that has begun in time; raises ApiError where it has not."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await answer
    except aiohttp.ClientConnectionError as error:
        raise _unreachable(error) from error
    except TimeoutError as error:
        raise _unreachable(f"no answer within {_ANSWER_SECONDS:.0f} s") from error


def _refused(status: int, text: str) -> ApiError:
    code = status if status in _REASONS else 500
    return ApiError(code, _REASONS.get(status, "InternalError"), text.strip())


def _unreachable(error: Exception | str) -> ApiError:
    return ApiError(500, "InternalError", f"error dialing backend: {error}")

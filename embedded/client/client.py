"""A small asyncio client of the Kubernetes API: JSON in, JSON out, one pool of connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import aiohttp

from embedded.client import config, errors, execution
from embedded.client.resources import PODS, Json, Resource

PatchKind = Literal["merge", "json", "strategic"]
Propagation = Literal["Background", "Foreground", "Orphan"]
Params = Mapping[str, str] | Sequence[tuple[str, str]]

_PATCH_TYPES: dict[PatchKind, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
_APPLY_TYPE = "application/apply-patch+yaml"
_REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=30)
# The server ends a watch after this long: who hears nothing for longer has lost the connection.
_WATCH_SECONDS = 290
_STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_WATCH_SECONDS + 10)


@dataclass(frozen=True, kw_only=True)
class JsonList:
    """One consistent list: its objects, and the resourceVersion to watch from."""

    items: list[Json]
    resource_version: str


@dataclass(frozen=True, kw_only=True)
class WatchEvent:
    """One change: `kind` is ADDED, MODIFIED, DELETED or BOOKMARK."""

    kind: str
    object: Json


class Client:
    """Talks to one API server. Use as an async context manager, or call `close`.

    Every method raises ApiError (NotFound, Conflict, AlreadyExists, Gone, Invalid) for a
    refusal and Unreachable when no answer came.
    """

    def __init__(self, settings: config.ClientConfig) -> None:
        self.config = settings
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def from_kubeconfig(cls, path: Path | str) -> Self:
        """Make a client from the current context of a kubeconfig file. Raises ConfigError."""
        return cls(config.from_kubeconfig(path))

    @classmethod
    def in_cluster(cls) -> Self:
        """Make a client from inside a Pod. Raises ConfigError."""
        return cls(config.in_cluster())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop all connections."""
        if self._session:
            await self._session.close()
            # Transports report their end in the loop's next turn, which may be its last.
            await asyncio.sleep(0)

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Json:
        """Read one object."""
        return await self.request("GET", resource.path(namespace, name))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
    ) -> JsonList:
        """Read all objects, of one namespace or of all; they carry apiVersion and kind."""
        answer = await self.request(
            "GET", resource.path(namespace), params=_selectors(labels, fields)
        )
        head = {"apiVersion": resource.api_version, "kind": resource.kind}
        return JsonList(
            items=[head | item for item in answer.get("items") or []],
            resource_version=answer["metadata"]["resourceVersion"],
        )

    async def create(
        self,
        resource: Resource,
        obj: Json,
        namespace: str | None = None,
        *,
        dry_run: bool = False,
        subresource: str = "",
    ) -> Json:
        """Create an object, or post to a subresource of the object that `obj` names."""
        metadata = obj.get("metadata") or {}
        path = resource.path(
            namespace or metadata.get("namespace"),
            metadata["name"] if subresource else "",
            subresource,
        )
        return await self.request("POST", path, obj, params={"dryRun": "All"} if dry_run else {})

    async def replace(self, resource: Resource, obj: Json, *, subresource: str = "") -> Json:
        """Write a whole object; its resourceVersion, if given, must be the current one."""
        metadata = obj["metadata"]
        path = resource.path(metadata.get("namespace"), metadata["name"], subresource)
        return await self.request("PUT", path, obj)

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        body: Json | Sequence[Json],
        kind: PatchKind = "merge",
        *,
        subresource: str = "",
    ) -> Json:
        """Change parts of an object; with a resourceVersion in a merge patch, only that version."""
        path = resource.path(namespace, name, subresource)
        return await self.request("PATCH", path, body, content_type=_PATCH_TYPES[kind])

    async def apply(
        self,
        resource: Resource,
        obj: Json,
        *,
        manager: str,
        force: bool = True,
        subresource: str = "",
    ) -> Json:
        """Apply an object on the server's side, as the field manager `manager`."""
        metadata = obj["metadata"]
        path = resource.path(metadata.get("namespace"), metadata["name"], subresource)
        params = {"fieldManager": manager, "force": "true" if force else "false"}
        return await self.request("PATCH", path, obj, params=params, content_type=_APPLY_TYPE)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Propagation | None = None,
        grace: int | None = None,
        uid: str | None = None,
    ) -> Json:
        """Delete one object; `grace` in seconds; `uid` must match. Gives the server's answer."""
        body = _delete_options(propagation, grace, uid)
        return await self.request("DELETE", resource.path(namespace, name), body)

    async def delete_collection(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        propagation: Propagation | None = None,
        grace: int | None = None,
    ) -> Json:
        """Delete all objects that the selectors match."""
        return await self.request(
            "DELETE",
            resource.path(namespace),
            _delete_options(propagation, grace, None),
            params=_selectors(labels, fields),
        )

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        labels: str = "",
        fields: str = "",
    ) -> AsyncGenerator[WatchEvent, None]:
        """Follow changes after `resource_version`, until the server ends the stream.

        Raises Gone when that version is no longer known: list, and watch again.
        """
        params = _selectors(labels, fields) | {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        try:
            async with self._http().get(
                self.config.server + resource.path(namespace),
                params=params,
                timeout=_STREAM_TIMEOUT,
            ) as answer:
                if answer.status >= 400:
                    raise errors.from_body(answer.status, await answer.read())
                try:
                    async for line in _lines(answer.content):
                        yield _event(json.loads(line))
                finally:
                    _abort(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.Unreachable(f"watch {resource.plural}: {error!r}") from error

    async def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        stdin: bytes = b"",
        *,
        timeout: float = 30,
    ) -> execution.ExecResult:
        """Run a command in a container; `timeout` seconds bound the whole of it."""
        params = [("command", word) for word in command]
        params += [("container", container), ("stdout", "true"), ("stderr", "true")]
        params += [("stdin", "true")] if stdin else []
        url = self.config.server + PODS.path(namespace, pod, "exec")
        what = f"exec {command[0]} in {namespace}/{pod}/{container}"
        try:
            async with (
                asyncio.timeout(timeout),
                self._http().ws_connect(
                    url, params=params, protocols=execution.PROTOCOLS, max_msg_size=0
                ) as socket,
                execution.cut_off(socket),
            ):
                return await execution.converse(socket, stdin)
        except aiohttp.WSServerHandshakeError as error:
            refusal = {"reason": "UpgradeRefused", "message": f"{what}: {error.message}"}
            raise errors.from_status(error.status, refusal) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.Unreachable(f"{what}: {error!r}") from error

    async def request(
        self,
        method: str,
        path: str,
        body: Json | Sequence[Json] | None = None,
        *,
        params: Params | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """Send one request to any path, and read its JSON answer."""
        try:
            async with self._http().request(
                method,
                self.config.server + path,
                params=params or None,
                data=None if body is None else json.dumps(body, separators=(",", ":")).encode(),
                headers={"Content-Type": content_type} if body is not None else None,
            ) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.Unreachable(f"{method} {path}: {error!r}") from error
        if answer.status >= 400:
            raise errors.from_body(answer.status, content)
        parsed: Json = json.loads(content)
        return parsed

    def _http(self) -> aiohttp.ClientSession:
        # Made late, because a session belongs to the loop that runs.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self.config.tls()),
                headers={"Authorization": f"Bearer {self.config.token}"},
                timeout=_REQUEST_TIMEOUT,
                ws_response_class=execution.Socket,
            )
        return self._session


def _selectors(labels: str, fields: str) -> dict[str, str]:
    both = {"labelSelector": labels, "fieldSelector": fields}
    return {name: value for name, value in both.items() if value}


def _delete_options(propagation: Propagation | None, grace: int | None, uid: str | None) -> Json:
    body: Json = {"kind": "DeleteOptions", "apiVersion": "v1"}
    if propagation:
        body["propagationPolicy"] = propagation
    if grace is not None:
        body["gracePeriodSeconds"] = grace
    if uid:
        body["preconditions"] = {"uid": uid}
    return body


def _abort(answer: aiohttp.ClientResponse) -> None:
    # A polite end would wait for the server's, which may come after the loop has stopped.
    transport = answer.connection.transport if answer.connection else None
    if transport:
        transport.abort()


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    # Not readline: an object may be longer than the reader's limit of a line.
    rest = b""
    async for chunk in stream.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                yield line


def _event(parsed: Json) -> WatchEvent:
    if parsed["type"] == "ERROR":
        raise errors.from_status(int(parsed["object"].get("code") or 500), parsed["object"])
    return WatchEvent(kind=parsed["type"], object=parsed["object"])

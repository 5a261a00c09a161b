"""The base of every controller: the shared copies, and writes that the copies learn from."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Protocol

from embedded.client import AlreadyExists, Client, Informer, Informers, Json, NotFound, Resource
from embedded.client.client import Propagation

_MISSING = object()


class Controller(Protocol):
    """One control loop; its constructor subscribes to what it needs."""

    async def run(self) -> None:
        """Work until cancelled."""


class Cluster:
    """A view of the whole cluster through shared informers, and the way to change it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.informers = Informers(client)

    def of(self, resource: Resource) -> Informer:
        """The shared copy of a resource."""
        return self.informers.of(resource)

    async def create(self, resource: Resource, obj: Json, namespace: str | None = None) -> Json:
        """Create an object. Raises ApiError."""
        return self.of(resource).learn(await self.client.create(resource, obj, namespace))

    async def ensure(self, resource: Resource, obj: Json) -> None:
        """Create an object unless its name is taken. Raises ApiError."""
        with contextlib.suppress(AlreadyExists):
            await self.create(resource, obj)

    async def merge(self, resource: Resource, obj: Json, change: Json) -> Json:
        """Merge a change into an object, found by its name. Raises ApiError."""
        metadata = obj["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace")
        return self.of(resource).learn(await self.client.patch(resource, name, namespace, change))

    async def set_status(self, resource: Resource, obj: Json, status: Json) -> None:
        """Make `status` the object's status; nothing is sent where nothing differs."""
        change = difference(obj.get("status") or {}, status)
        if not change:
            return
        metadata = obj["metadata"]
        answer = await self.client.patch(
            resource,
            metadata["name"],
            metadata.get("namespace"),
            {"status": change},
            subresource="status",
        )
        self.of(resource).learn(answer)

    async def delete(
        self, resource: Resource, obj: Json, propagation: Propagation = "Background"
    ) -> None:
        """Delete this very object, by its uid; it may be gone already. Raises ApiError."""
        metadata = obj["metadata"]
        try:
            answer = await self.client.delete(
                resource,
                metadata["name"],
                metadata.get("namespace"),
                propagation=propagation,
                uid=metadata["uid"],
            )
        except NotFound:
            return
        if (answer.get("metadata") or {}).get("deletionTimestamp"):
            self.of(resource).learn(answer)


def difference(old: Json, new: Json) -> Json:
    """The merge patch that turns `old` into `new`; empty if they are equal."""
    change: Json = {name: None for name in old if name not in new}
    for name, value in new.items():
        before: Any = old.get(name, _MISSING)
        if isinstance(before, dict) and isinstance(value, dict):
            inner = difference(before, value)
            if inner:
                change[name] = inner
        elif before is _MISSING or before != value:
            change[name] = value
    return change


async def together(*steps: Any) -> None:
    """Run coroutines side by side; all end before the first error is raised."""
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome

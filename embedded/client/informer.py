"""A local copy of a resource that follows the server, and survives whatever happens between.

Beside what the watch brings, it learns from the answers to its owner's own writes. A level-
triggered loop that decides by the copy then never acts twice on one need: it sees what it wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Hashable, Mapping

from embedded.client.client import Client, JsonList
from embedded.client.errors import ApiError, Gone, Unreachable
from embedded.client.resources import Json, Resource
from embedded.client.store import Index, Key, Store, key_of, version_of
from embedded.client.workqueue import Backoff

OnChange = Callable[[str, Json], None]

_NAMESPACE = "in namespace"

_log = logging.getLogger(__name__)


class Informer:
    """Lists, then watches one resource; `items` is the copy, by (namespace, name).

    Handlers are called with ADDED, MODIFIED or DELETED and the object, after the copy changed;
    they must not change the object.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        on_change: OnChange | None = None,
    ) -> None:
        self.client = client
        self.resource = resource
        self._namespace = namespace
        self._labels = labels
        self._fields = fields
        self._store = Store()
        self._store.add_index(_NAMESPACE, lambda obj: [key_of(obj)[0]])
        self._handlers: list[OnChange] = [on_change] if on_change else []
        self._version = 0
        self._highest = 0
        self._synced = asyncio.Event()

    @property
    def items(self) -> Mapping[Key, Json]:
        """The objects, a live view by (namespace, name)."""
        return self._store.items

    @property
    def version(self) -> int:
        """The resourceVersion up to which the copy knows everything; 0 before the first list."""
        return self._version

    def get(self, namespace: str, name: str) -> Json | None:
        """One object of the copy; the namespace of a cluster-scoped one is empty."""
        return self._store.items.get((namespace, name))

    def add_handler(self, on_change: OnChange) -> None:
        """Call `on_change` for every change from now on, and ADDED for what is there already."""
        self._handlers.append(on_change)
        for obj in list(self.items.values()):
            on_change("ADDED", obj)

    def add_index(self, name: str, function: Index) -> None:
        """Keep the objects findable by what `function` gives for each."""
        self._store.add_index(name, function)

    def in_namespace(self, namespace: str) -> list[Json]:
        """The objects of one namespace."""
        return self._store.by_index(_NAMESPACE, namespace)

    def by_index(self, name: str, value: Hashable) -> list[Json]:
        """The objects indexed under `value`."""
        return self._store.by_index(name, value)

    async def synced(self) -> None:
        """Wait until the first list is in."""
        await self._synced.wait()

    def learn(self, obj: Json) -> Json:
        """Take in the server's answer to an own write, ahead of the watch; gives it back."""
        # What the stream has already passed, it knows better: the object may even be gone.
        if "resourceVersion" in obj.get("metadata", {}) and version_of(obj) > self._version:
            self._take(self._headed(obj))
        return obj

    def clear(self) -> None:
        """Take it that everything is gone; each object is told as DELETED."""
        for obj in list(self.items.values()):
            self._forget(obj)

    async def run(self) -> None:
        """Follow the server until cancelled; connection losses and 410 are recovered from."""
        delays = Backoff()
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                delays.reset()
            except Gone:
                self._version = 0
            except (ApiError, Unreachable) as error:
                delay = delays.next()
                _log.info("%s: %s; again in %.2f s", self.resource.plural, error, delay)
                await asyncio.sleep(delay)
                # A server that came back may have lost its history, or be another one.
                self._version = 0

    async def _list(self) -> None:
        listed = await self.client.list(
            self.resource, self._namespace, labels=self._labels, fields=self._fields
        )
        self._version = int(listed.resource_version)
        if self._version < self._highest:
            # Another server answers, that counts anew: nothing of the copy can be compared.
            self.clear()
        self._highest = self._version
        for obj in listed.items:
            self._take(obj)
        self._drop_missing(listed)
        self._synced.set()

    def _drop_missing(self, listed: JsonList) -> None:
        present = {key_of(obj) for obj in listed.items}
        for key in [key for key in self.items if key not in present]:
            if version_of(self.items[key]) <= self._version:
                self._forget(self.items[key])

    async def _watch(self) -> None:
        stream = self.client.watch(
            self.resource,
            self._namespace,
            resource_version=str(self._version),
            labels=self._labels,
            fields=self._fields,
        )
        async with contextlib.aclosing(stream):
            async for event in stream:
                self._version = self._highest = version_of(event.object)
                if event.kind == "DELETED":
                    self._forget(self._headed(event.object))
                elif event.kind != "BOOKMARK":
                    self._take(self._headed(event.object))

    def _take(self, obj: Json) -> None:
        known = self.items.get(key_of(obj))
        if known and known["metadata"]["uid"] != obj["metadata"]["uid"]:
            self._forget(known)
            known = None
        if known and version_of(known) >= version_of(obj):
            return
        self._store.put(obj)
        self._tell("MODIFIED" if known else "ADDED", obj)

    def _forget(self, obj: Json) -> None:
        known = self.items.get(key_of(obj))
        # A successor by the same name may have been learned before its predecessor's end came.
        if known and known["metadata"]["uid"] == obj["metadata"]["uid"]:
            self._store.remove(key_of(obj))
            self._tell("DELETED", obj)

    def _tell(self, kind: str, obj: Json) -> None:
        for handler in self._handlers:
            handler(kind, obj)

    def _headed(self, obj: Json) -> Json:
        if "kind" in obj and "apiVersion" in obj:
            return obj
        return {"apiVersion": self.resource.api_version, "kind": self.resource.kind} | obj


class Informers:
    """One informer per resource, shared by all that look at it; all run in one task group.

    They see one `namespace`, or all.
    """

    def __init__(self, client: Client, namespace: str | None = None) -> None:
        self.client = client
        self._namespace = namespace
        self._informers: dict[Resource, Informer] = {}
        self._running: dict[Resource, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    def of(self, resource: Resource) -> Informer:
        """The informer of a resource; made, and started, if need be."""
        if resource not in self._informers:
            self._informers[resource] = Informer(self.client, resource, self._namespace)
            self._start(resource)
        return self._informers[resource]

    def known(self) -> list[Informer]:
        """All informers made so far."""
        return list(self._informers.values())

    def drop(self, resource: Resource) -> None:
        """Stop and forget the informer of a resource that the server no longer serves."""
        task = self._running.pop(resource, None)
        if task:
            task.cancel()
        informer = self._informers.pop(resource, None)
        if informer:
            informer.clear()

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Run all informers, and those made later, in `group`; wait until they are synced."""
        self._group = group
        for resource in self._informers:
            self._start(resource)
        await asyncio.gather(*(informer.synced() for informer in self._informers.values()))

    def _start(self, resource: Resource) -> None:
        if self._group and resource not in self._running:
            run = self._informers[resource].run()
            self._running[resource] = self._group.create_task(run, name=f"watch {resource.plural}")

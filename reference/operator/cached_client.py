"""The API as the operator uses it: read from copies that watches keep, written to directly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from embedded.client import (
    CONFIGMAPS,
    DEPLOYMENTS,
    ENDPOINTS,
    PODS,
    PVCS,
    SECRETS,
    SERVICES,
    STATEFULSETS,
    Client,
    Informer,
    Informers,
    Json,
    NotFound,
    Resource,
)
from reference.operator.change_filter import ChangeFilter
from reference.operator.compare import covers
from reference.operator.concurrency import run_all
from reference.operator.model import Key
from reference.operator.names import CLUSTER, MANAGER
from reference.operator.resources import PGCLUSTERS

_WATCHED = (
    PGCLUSTERS,
    SECRETS,
    CONFIGMAPS,
    SERVICES,
    ENDPOINTS,
    PVCS,
    PODS,
    STATEFULSETS,
    DEPLOYMENTS,
)
_CONNECTIONS = 8
_BY_CLUSTER = "cluster"
_BY_REFERENCE = "reference"


class CachedClient:
    """A client of the API with copies of all objects that matter to the operator.

    They are kept by watches and by the answers to own writes. They are of one `namespace`, or of
    all.
    """

    def __init__(self, client: Client, namespace: str | None = None) -> None:
        self.client = client
        self._informers = Informers(client, namespace)
        self._filter = ChangeFilter()
        self._learning = False
        # Each connection costs a handshake, which costs more than to wait for one's turn.
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        for resource in _WATCHED:
            self._informer(resource).add_index(_BY_CLUSTER, _cluster_of)
        self._informer(PGCLUSTERS).add_index(_BY_REFERENCE, _secrets_of)

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Follow the API in `group`; returns once every copy is complete."""
        await self._informers.start(group)

    def on_change(
        self,
        resource: Resource,
        handler: Callable[[Json], None],
        *,
        own: Callable[[Json], None] | None = None,
    ) -> None:
        """Call `handler` with each object that others changed so that it matters.

        `own` is called instead with those that a pass of ours wrote: other clusters than the one
        that it was for may wait for them.
        """
        if resource == PGCLUSTERS:
            # Nothing that we write to a cluster matters to us: what does came from others.
            own = handler

        def notify(kind: str, obj: Json) -> None:
            if not self._filter.changed(resource, kind, obj):
                return
            if not self._learning:
                handler(obj)
            elif own is not None:
                own(obj)

        self._informer(resource).add_handler(notify)

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Return one object, or None."""
        return self._informer(resource).get(namespace, name)

    def of_cluster(self, resource: Resource, key: Key) -> list[Json]:
        """Return all objects of a kind that carry the cluster's label."""
        return self._informer(resource).by_index(_BY_CLUSTER, key)

    def clusters_naming(self, namespace: str, secret: str) -> list[Key]:
        """Return the clusters that name a Secret as one of the user's."""
        found = self._informer(PGCLUSTERS).by_index(_BY_REFERENCE, (namespace, secret))
        return [(obj["metadata"]["namespace"], obj["metadata"]["name"]) for obj in found]

    def clusters(self, namespace: str) -> list[Json]:
        """Return all clusters of a namespace, the oldest first."""
        found = self._informer(PGCLUSTERS).items.values()
        mine = [obj for obj in found if obj["metadata"]["namespace"] == namespace]
        return sorted(
            mine, key=lambda obj: (obj["metadata"]["creationTimestamp"], obj["metadata"]["name"])
        )

    async def ensure(self, resource: Resource, wanted: Json) -> Json:
        """Apply an object, unless it already is as wanted; return it as it is then."""
        metadata = wanted["metadata"]
        actual = self.get(resource, metadata["namespace"], metadata["name"])
        if actual is not None and covers(actual, wanted):
            return actual
        async with self._turns:
            applied = await self.client.apply(resource, wanted, manager=MANAGER)
        return self._learn(resource, applied)

    async def ensure_all(self, resource: Resource, wanted: Iterable[Json | None]) -> None:
        """Apply several objects side by side."""
        await run_all(self.ensure(resource, each) for each in wanted if each is not None)

    async def merge(
        self, resource: Resource, obj: Json, change: Json, *, subresource: str = ""
    ) -> Json:
        """Change some fields of an object; return it as it is then."""
        metadata = obj["metadata"]
        async with self._turns:
            changed = await self.client.patch(
                resource, metadata["name"], metadata["namespace"], change, subresource=subresource
            )
        return self._learn(resource, changed)

    async def delete(self, resource: Resource, obj: Json) -> None:
        """Delete exactly this object; one that is gone is as good as deleted."""
        metadata = obj["metadata"]
        if metadata.get("deletionTimestamp"):
            return
        try:
            await self.client.delete(
                resource,
                metadata["name"],
                metadata["namespace"],
                uid=metadata["uid"],
                propagation="Background",
            )
        except NotFound:
            return

    def _learn(self, resource: Resource, obj: Json) -> Json:
        """Keep the answer to an own write; the pass that wrote it is not notified."""
        self._learning = True
        try:
            return self._informer(resource).learn(obj)
        finally:
            self._learning = False

    def _informer(self, resource: Resource) -> Informer:
        return self._informers.of(resource)


def _cluster_of(obj: Json) -> list[Key]:
    metadata = obj["metadata"]
    name = (metadata.get("labels") or {}).get(CLUSTER)
    return [(metadata["namespace"], name)] if name else []


def _secrets_of(obj: Json) -> list[Key]:
    namespace, spec = obj["metadata"]["namespace"], obj.get("spec") or {}
    pooler = (spec.get("proxy") or {}).get("pgBouncer") or {}
    refs = [*(spec.get("secrets") or {}).values(), pooler.get("customTLSSecret")]
    return [(namespace, ref["name"]) for ref in refs if isinstance(ref, dict) and ref.get("name")]

"""The kinds that the server serves: the built-in ones by discovery, custom ones as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from embedded.client import CRDS, Client, Informer, Json, Resource
from embedded.controllers import conditions
from embedded.controllers.cluster import Cluster

_NEEDED = {"list", "watch", "delete"}
# Nobody's owner and owned by nobody, but many: not worth a copy.
_EVENTS = {("", "events"), ("events.k8s.io", "events")}


class Kinds:
    """Every kind whose objects can be listed, watched and deleted, each with its informer."""

    def __init__(self, cluster: Cluster, builtin: Iterable[Resource]) -> None:
        self._cluster = cluster
        self._resources: dict[tuple[str, str], Resource] = {}
        self._listeners: list[Callable[[Resource, Informer], None]] = []
        self._losers: list[Callable[[Resource], None]] = []
        for resource in builtin:
            self._add(resource)
        cluster.of(CRDS).add_handler(self._on_definition)

    def all(self) -> list[Resource]:
        """All kinds known now, Events left out."""
        return list(self._resources.values())

    def find(self, api_version: str, kind: str) -> Resource | None:
        """The resource of a kind, whatever the version of its group."""
        return self._resources.get((_group(api_version), kind))

    def add_listener(self, listener: Callable[[Resource, Informer], None]) -> None:
        """Call `listener` for every kind, those known already and those to come."""
        self._listeners.append(listener)
        for resource in self.all():
            listener(resource, self._cluster.of(resource))

    def add_loser(self, loser: Callable[[Resource], None]) -> None:
        """Call `loser` for every kind whose definition goes, and with it all of its objects."""
        self._losers.append(loser)

    def _add(self, resource: Resource) -> None:
        identity = (resource.group, resource.kind)
        if identity in self._resources or (resource.group, resource.plural) in _EVENTS:
            return
        self._resources[identity] = resource
        for listener in self._listeners:
            listener(resource, self._cluster.of(resource))

    def _on_definition(self, change: str, definition: Json) -> None:
        resource = _defined(definition)
        if change == "DELETED":
            self._resources.pop((resource.group, resource.kind), None)
            self._cluster.informers.drop(resource)
            for loser in self._losers:
                loser(resource)
        elif conditions.is_true(definition.get("status") or {}, "Established"):
            self._add(resource)


async def discover(client: Client) -> list[Resource]:
    """Ask the server for all kinds that it serves, each group in its preferred version."""
    groups = (await client.request("GET", "/apis")).get("groups") or []
    roots = ["/api/v1", *(f"/apis/{g['preferredVersion']['groupVersion']}" for g in groups)]
    answers = await asyncio.gather(*(client.request("GET", root) for root in roots))
    return [
        _resource(answer["groupVersion"], entry)
        for answer in answers
        for entry in answer["resources"]
        if "/" not in entry["name"] and set(entry["verbs"]) >= _NEEDED
    ]


def _resource(group_version: str, entry: Json) -> Resource:
    return Resource(
        group=_group(group_version),
        version=group_version.rpartition("/")[2],
        plural=entry["name"],
        kind=entry["kind"],
        namespaced=entry["namespaced"],
    )


def _defined(definition: Json) -> Resource:
    spec = definition["spec"]
    storage = next(version for version in spec["versions"] if version["storage"])
    return Resource(
        group=spec["group"],
        version=storage["name"],
        plural=spec["names"]["plural"],
        kind=spec["names"]["kind"],
        namespaced=spec["scope"] == "Namespaced",
    )


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]

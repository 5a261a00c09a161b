"""Garbage collector: what becomes of objects whose owners are gone, or are going.

Background: the dependents are deleted once the owner is gone. Foreground: the owner waits, by a
finalizer, until the dependents that block it are gone. Orphan: the references are taken off
first. Owners are told apart by uid: a successor by the same name is another object.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from embedded.client import Informer, Json, NotFound, Reconciler, Resource
from embedded.client.client import Propagation
from embedded.controllers.cluster import Cluster, together
from embedded.controllers.kinds import Kinds
from embedded.controllers.pods import is_terminating

_FOREGROUND = "foregroundDeletion"
_ORPHAN = "orphan"
_BY_OWNER = "owners"
_REMEMBERED = 10_000


@dataclass(frozen=True, kw_only=True)
class Item:
    """One object, by what it is and by its uid."""

    resource: Resource
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The owner references of an object, by what has become of their owners."""

    solid: list[Json]
    dangling: list[Json]
    waiting: list[Json]
    unknown: list[Json]


class GarbageCollector:
    """Follows every kind, and deletes what nothing owns any more."""

    def __init__(self, cluster: Cluster, kinds: Kinds) -> None:
        self._cluster = cluster
        self._kinds = kinds
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._queue: Reconciler[Item] = Reconciler("garbage", self._reconcile, workers=8)
        self.run = self._queue.run
        kinds.add_listener(self._follow)
        kinds.add_loser(self._lose)

    def _follow(self, resource: Resource, informer: Informer) -> None:
        informer.add_index(_BY_OWNER, _owner_uids)

        def handle(change: str, obj: Json) -> None:
            self._on_change(change, resource, obj)

        informer.add_handler(handle)
        # A kind's definition may come after objects that name it as their owner.
        self._look_again(resource)

    def _lose(self, resource: Resource) -> None:
        """A kind's definition goes after its objects, whose own end may not have been seen."""
        for reference in self._look_again(resource):
            self._remember_gone(reference["uid"])

    def _look_again(self, resource: Resource) -> list[Json]:
        """Look at the objects that name the kind as their owner's; the references are returned."""
        found: list[Json] = []
        for other in self._kinds.all():
            for obj in self._cluster.of(other).items.values():
                references = obj["metadata"].get("ownerReferences") or []
                if mine := [each for each in references if _names(resource, each)]:
                    self._queue.enqueue(_item(other, obj))
                    found += mine
        return found

    def _on_change(self, change: str, resource: Resource, obj: Json) -> None:
        metadata = obj["metadata"]
        if change == "DELETED":
            self._remember_gone(metadata["uid"])
            for dependent_resource, dependent in self._dependents(metadata["uid"]):
                self._queue.enqueue(_item(dependent_resource, dependent))
            self._enqueue_waiting_owners(obj)
        elif metadata.get("ownerReferences") or _is_held(obj):
            self._queue.enqueue(_item(resource, obj))
            if is_terminating(obj):
                self._enqueue_waiting_owners(obj)

    async def _reconcile(self, item: Item) -> None:
        obj = self._current(item)
        if obj is None:
            return
        if is_terminating(obj):
            await self._finish(item, obj)
            return
        verdict = await self._judge(obj)
        if verdict.solid:
            await self._drop_references(item, obj, verdict)
        elif not verdict.unknown and (verdict.dangling or verdict.waiting):
            await self._cluster.delete(item.resource, obj, self._propagation(obj, verdict))

    async def _finish(self, item: Item, obj: Json) -> None:
        """Do what an owner under deletion waits for."""
        finalizers = obj["metadata"].get("finalizers") or []
        dependents = self._dependents(item.uid)
        if _ORPHAN in finalizers:
            await together(*(self._set_free(r, child, item.uid) for r, child in dependents))
            await self._remove_finalizer(item.resource, obj, _ORPHAN)
        elif _FOREGROUND in finalizers:
            blocking = [entry for entry in dependents if _blocks(entry[1], item.uid)]
            for resource, child in dependents:
                self._queue.enqueue(_item(resource, child))
            if not blocking:
                await self._remove_finalizer(item.resource, obj, _FOREGROUND)

    async def _judge(self, obj: Json) -> Verdict:
        found: dict[str, list[Json]] = {"solid": [], "dangling": [], "waiting": [], "unknown": []}
        for reference in obj["metadata"].get("ownerReferences") or []:
            state = await self._state(obj["metadata"].get("namespace") or "", reference)
            found[state].append(reference)
        return Verdict(**found)

    async def _state(self, namespace: str, reference: Json) -> str:
        if reference["uid"] in self._gone:
            return "dangling"
        resource = self._kinds.find(reference["apiVersion"], reference["kind"])
        if resource is None:
            return "unknown"
        owner = await self._owner(resource, namespace, reference)
        if owner is None:
            self._remember_gone(reference["uid"])
            return "dangling"
        held = is_terminating(owner) and _FOREGROUND in (owner["metadata"].get("finalizers") or [])
        return "waiting" if held else "solid"

    async def _owner(self, resource: Resource, namespace: str, reference: Json) -> Json | None:
        informer = self._cluster.of(resource)
        scope = namespace if resource.namespaced else ""
        owner = informer.get(scope, reference["name"])
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            # The copy of the owner's kind may be behind the copy of its dependent's.
            try:
                owner = await self._cluster.client.get(resource, reference["name"], scope or None)
            except NotFound:
                return None
            informer.learn(owner)
        return owner if owner["metadata"]["uid"] == reference["uid"] else None

    async def _drop_references(self, item: Item, obj: Json, verdict: Verdict) -> None:
        gone = {reference["uid"] for reference in (*verdict.dangling, *verdict.waiting)}
        if gone:
            kept = [r for r in obj["metadata"]["ownerReferences"] if r["uid"] not in gone]
            await self._write(item.resource, obj, {"ownerReferences": kept})

    async def _set_free(self, resource: Resource, child: Json, uid: str) -> None:
        kept = [r for r in child["metadata"]["ownerReferences"] if r["uid"] != uid]
        await self._write(resource, child, {"ownerReferences": kept or None})

    async def _remove_finalizer(self, resource: Resource, obj: Json, finalizer: str) -> None:
        left = [name for name in obj["metadata"]["finalizers"] if name != finalizer]
        await self._write(resource, obj, {"finalizers": left or None})

    async def _write(self, resource: Resource, obj: Json, metadata: Json) -> None:
        version = obj["metadata"]["resourceVersion"]
        try:
            change = {"metadata": metadata | {"resourceVersion": version}}
            await self._cluster.merge(resource, obj, change)
        except NotFound:
            return

    def _propagation(self, obj: Json, verdict: Verdict) -> Propagation:
        finalizers = obj["metadata"].get("finalizers") or []
        if verdict.waiting and self._dependents(obj["metadata"]["uid"]):
            return "Foreground"
        if _ORPHAN in finalizers:
            return "Orphan"
        return "Foreground" if _FOREGROUND in finalizers else "Background"

    def _current(self, item: Item) -> Json | None:
        obj = self._cluster.of(item.resource).get(item.namespace, item.name)
        return obj if obj and obj["metadata"]["uid"] == item.uid else None

    def _dependents(self, uid: str) -> list[tuple[Resource, Json]]:
        return [
            (resource, obj)
            for resource in self._kinds.all()
            for obj in self._cluster.of(resource).by_index(_BY_OWNER, uid)
        ]

    def _enqueue_waiting_owners(self, obj: Json) -> None:
        namespace = obj["metadata"].get("namespace") or ""
        for reference in obj["metadata"].get("ownerReferences") or []:
            resource = self._kinds.find(reference["apiVersion"], reference["kind"])
            if resource is None:
                continue
            scope = namespace if resource.namespaced else ""
            owner = self._cluster.of(resource).get(scope, reference["name"])
            if owner and _is_held(owner):
                self._queue.enqueue(_item(resource, owner))

    def _remember_gone(self, uid: str) -> None:
        self._gone[uid] = None
        if len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)


def _item(resource: Resource, obj: Json) -> Item:
    metadata = obj["metadata"]
    return Item(
        resource=resource,
        namespace=metadata.get("namespace") or "",
        name=metadata["name"],
        uid=metadata["uid"],
    )


def _owner_uids(obj: Json) -> list[str]:
    return [reference["uid"] for reference in obj["metadata"].get("ownerReferences") or []]


def _names(resource: Resource, reference: Json) -> bool:
    group = reference["apiVersion"].rpartition("/")[0]
    return (group, reference["kind"]) == (resource.group, resource.kind)


def _is_held(obj: Json) -> bool:
    finalizers = obj["metadata"].get("finalizers") or []
    return is_terminating(obj) and (_ORPHAN in finalizers or _FOREGROUND in finalizers)


def _blocks(child: Json, uid: str) -> bool:
    return any(
        reference["uid"] == uid and reference.get("blockOwnerDeletion")
        for reference in child["metadata"].get("ownerReferences") or []
    )

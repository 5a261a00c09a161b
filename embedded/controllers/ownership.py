"""Ownership of objects: owner references, selectors, and the adoption of orphans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from embedded.client import Informer, Json, Reconciler, Resource
from embedded.controllers.cluster import Cluster

Key = tuple[str, str]
CONTROLLED = "controlled"


def controller_of(obj: Json) -> Json | None:
    """The owner reference that is marked as controller."""
    for reference in obj["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            found: Json = reference
            return found
    return None


def controller_reference(owner: Json) -> Json:
    """The reference that makes `owner` the controller of another object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def index_by_controller(informer: Informer) -> None:
    """Let `owned` find the objects of this informer."""
    informer.add_index(CONTROLLED, _controller_uids)


def owned(informer: Informer, owner: Json) -> list[Json]:
    """All objects that `owner` controls, deleted ones included as long as they exist."""
    return informer.by_index(CONTROLLED, owner["metadata"]["uid"])


def enqueue_itself(queue: Reconciler[Key]) -> Callable[[str, Json], None]:
    """A handler that enqueues the object that changed."""

    def handle(_: str, obj: Json) -> None:
        queue.enqueue((obj["metadata"].get("namespace") or "", obj["metadata"]["name"]))

    return handle


def enqueue_controller(kind: str, queue: Reconciler[Key]) -> Callable[[str, Json], None]:
    """A handler that enqueues the controller, of this kind, of the object that changed."""

    def handle(_: str, obj: Json) -> None:
        reference = controller_of(obj)
        if reference and reference["kind"] == kind:
            queue.enqueue((obj["metadata"].get("namespace") or "", reference["name"]))

    return handle


def _anything(_: Json) -> bool:
    return True


async def claim(
    cluster: Cluster,
    resource: Resource,
    owner: Json,
    accepts: Callable[[Json], bool] = _anything,
) -> list[Json]:
    """Give the objects that `owner` controls, having taken in orphans that match its selector.

    `accepts` may demand more than the selector. An object that no longer matches is let go. Raises
    ApiError.
    """
    informer = cluster.of(resource)
    selector = owner["spec"]["selector"]
    mine = owned(informer, owner)
    for obj in mine:
        if not (matches(selector, obj["metadata"].get("labels") or {}) and accepts(obj)):
            await _release(cluster, resource, obj, owner)
    if not owner["metadata"].get("deletionTimestamp"):
        for obj in _orphans(informer, owner["metadata"]["namespace"], selector):
            if accepts(obj):
                await _adopt(cluster, resource, obj, owner)
    return owned(informer, owner)


def matches(selector: Json, labels: Mapping[str, str]) -> bool:
    """Return whether labels satisfy a LabelSelector (matchLabels and matchExpressions)."""
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    return all(_satisfies(rule, labels) for rule in selector.get("matchExpressions") or [])


def _satisfies(rule: Json, labels: Mapping[str, str]) -> bool:
    name, values = rule["key"], rule.get("values") or []
    match rule["operator"]:
        case "In":
            return labels.get(name) in values
        case "NotIn":
            return labels.get(name) not in values
        case "Exists":
            return name in labels
        case "DoesNotExist":
            return name not in labels
        case unknown:
            raise ValueError(f"selector operator {unknown!r} is not known")


def _controller_uids(obj: Json) -> Iterable[str]:
    reference = controller_of(obj)
    # Orphans are found by their namespace, under a key that no uid can equal.
    return [reference["uid"] if reference else f"none in {obj['metadata'].get('namespace')}"]


def _orphans(informer: Informer, namespace: str, selector: Json) -> list[Json]:
    return [
        obj
        for obj in informer.by_index(CONTROLLED, f"none in {namespace}")
        if not obj["metadata"].get("deletionTimestamp")
        and matches(selector, obj["metadata"].get("labels") or {})
    ]


async def _adopt(cluster: Cluster, resource: Resource, obj: Json, owner: Json) -> None:
    references = [*(obj["metadata"].get("ownerReferences") or []), controller_reference(owner)]
    await cluster.merge(resource, obj, _references(obj, references))


async def _release(cluster: Cluster, resource: Resource, obj: Json, owner: Json) -> None:
    uid = owner["metadata"]["uid"]
    references = [r for r in obj["metadata"]["ownerReferences"] if r["uid"] != uid]
    await cluster.merge(resource, obj, _references(obj, references))


def _references(obj: Json, references: list[Json]) -> Json:
    version = obj["metadata"]["resourceVersion"]
    return {"metadata": {"ownerReferences": references, "resourceVersion": version}}

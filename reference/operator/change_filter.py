"""A filter of changes: most are status reports, which ask for nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from embedded.client import DEPLOYMENTS, PODS, PVCS, STATEFULSETS, Json, Resource
from reference.operator.resources import PGCLUSTERS

Digest = Callable[[Json], Hashable]


class ChangeFilter:
    """Remembers what matters of each object, and lets pass the changes of that."""

    def __init__(self) -> None:
        self._seen: dict[str, Hashable] = {}

    def changed(self, resource: Resource, kind: str, obj: Json) -> bool:
        """Return whether a change of an object asks for a look at its cluster."""
        uid = obj["metadata"]["uid"]
        if kind == "DELETED":
            self._seen.pop(uid, None)
            return True
        digest = _DIGESTS.get(resource, _version)(obj)
        if self._seen.get(uid) == digest:
            return False
        self._seen[uid] = digest
        return True


def _version(obj: Json) -> Hashable:
    return str(obj["metadata"]["resourceVersion"])


def _cluster(obj: Json) -> Hashable:
    metadata = obj["metadata"]
    annotations = tuple(sorted((metadata.get("annotations") or {}).items()))
    finalizers = tuple(metadata.get("finalizers") or ())
    return _desired(obj), annotations, finalizers


def _desired(obj: Json) -> Hashable:
    metadata = obj["metadata"]
    labels = tuple(sorted((metadata.get("labels") or {}).items()))
    return metadata.get("generation"), metadata.get("deletionTimestamp"), labels


def _claim(obj: Json) -> Hashable:
    return str(obj["metadata"].get("deletionTimestamp"))


def _pod(obj: Json) -> Hashable:
    status = obj.get("status") or {}
    ready = [each["status"] for each in status.get("conditions") or [] if each["type"] == "Ready"]
    return obj["metadata"].get("deletionTimestamp"), status.get("podIP"), tuple(ready)


_DIGESTS: Mapping[Resource, Digest] = {
    PGCLUSTERS: _cluster,
    STATEFULSETS: _desired,
    DEPLOYMENTS: _desired,
    PVCS: _claim,
    PODS: _pod,
}

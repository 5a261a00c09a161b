"""DELETE: preconditions, grace, propagation, and the finalizers that stand between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from embedded.api import errors
from embedded.api.builtin import crds
from embedded.api.jsons import Json, at, copied, same
from embedded.api.resources import Resource, World
from embedded.api.store import Stored
from embedded.api.writes import Writer, is_finished
from embedded.timestamps import now, timestamp

_ORPHAN = "orphan"
_IMMORTAL = frozenset({"default", "kube-public", "kube-system"})
"""Namespaces that nobody can delete."""
_FOREGROUND = "foregroundDeletion"


@dataclass(frozen=True, kw_only=True)
class DeleteOptions:
    """The options of one deletion."""

    grace: int | None = None
    propagation: str = ""
    uid: str = ""
    version: str = ""
    dry_run: bool = False


class Deleter:
    """All deletions go through here."""

    def __init__(self, world: World, writer: Writer) -> None:
        self._store = world.store
        self._writer = writer

    def delete(
        self, resource: Resource, key: tuple[str, str], options: DeleteOptions
    ) -> tuple[Stored, bool]:
        """Delete, or mark for deletion: the last state, and whether it is gone.

        Raises ApiError 403 (the system's namespaces), 404, 409 (precondition).
        """
        if resource.kind == "Namespace" and key[1] in _IMMORTAL:
            why = "this namespace may not be deleted"
            raise errors.forbidden(resource.subject(key[1]), why)
        collection = resource.collection(self._store)
        current = collection.objects.get(key)
        if current is None:
            raise errors.not_found(resource.subject(key[1]))
        _demand(resource, current.obj, options)
        obj = _marked(resource, current.obj, options)
        if options.dry_run:
            return Stored(obj, current.version), is_finished(obj)
        if is_finished(obj):
            return self._writer.remove(resource, obj), True
        if same(obj, current.obj):
            return current, False
        stored = self._writer.put(resource, obj)
        return stored, stored.key not in collection.objects


def _demand(resource: Resource, obj: Json, options: DeleteOptions) -> None:
    meta = obj["metadata"]
    for word, wanted, found in (
        ("UID", options.uid, meta["uid"]),
        ("ResourceVersion", options.version, meta["resourceVersion"]),
    ):
        if wanted and wanted != found:
            why = (
                f"the {word} in the precondition ({wanted}) does not match the {word} in record "
                f"({found}). The object might have been deleted and then recreated"
            )
            raise errors.conflict(resource.subject(meta["name"]), why)


def _marked(resource: Resource, stored: Json, options: DeleteOptions) -> Json:
    """The object as the deletion leaves it."""
    obj: Json = copied(stored)
    meta = obj["metadata"]
    _set_finalizers(meta, options.propagation)
    if not meta["finalizers"]:
        del meta["finalizers"]
    grace = _grace(obj, options.grace)
    first = "deletionTimestamp" not in meta
    if first and resource.generation:
        meta["generation"] = meta.get("generation", 0) + 1
    if first or grace < meta.get("deletionGracePeriodSeconds", 0):
        meta["deletionTimestamp"] = (
            timestamp(datetime.now(UTC) + timedelta(seconds=grace)) if grace else now()
        )
        meta["deletionGracePeriodSeconds"] = grace
    if first and resource.kind == "Namespace":
        obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}
    if first and resource.kind == crds.KIND:
        meta.setdefault("finalizers", []).append(crds.FINALIZER)
        obj["status"]["conditions"].append(crds.terminating())
    return obj


def _set_finalizers(meta: Json, propagation: str) -> None:
    finalizers = list(meta.get("finalizers") or [])
    if propagation:
        chosen = {"Orphan": _ORPHAN, "Foreground": _FOREGROUND}.get(propagation)
        finalizers = [name for name in finalizers if name not in {_ORPHAN, _FOREGROUND}]
        finalizers += [chosen] if chosen else []
    meta["finalizers"] = finalizers


def _grace(obj: Json, asked: int | None) -> int:
    """Seconds that a Pod has to end; all else is gone at once."""
    if obj["kind"] != "Pod":
        return 0
    if not at(obj, "spec", "nodeName") or at(obj, "status", "phase") in {"Failed", "Succeeded"}:
        return 0
    if asked is None:
        asked = at(obj, "spec", "terminationGracePeriodSeconds")
    return max(30 if asked is None else asked, 0)

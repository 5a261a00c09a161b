"""Conditions of a status, with their times kept as long as nothing changes."""

from __future__ import annotations

from embedded.client import Json
from embedded.timestamps import now


def find(status: Json, kind: str) -> Json | None:
    """The condition of this type."""
    for condition in status.get("conditions") or []:
        if condition["type"] == kind:
            found: Json = condition
            return found
    return None


def is_true(status: Json, kind: str) -> bool:
    """Return whether the condition is there and True."""
    return (find(status, kind) or {}).get("status") == "True"


def update(
    status: Json, kind: str, value: bool, reason: str, message: str, stamp: str = ""
) -> Json:
    """Make the condition anew, from what the old status says of it.

    `lastTransitionTime` changes with the value; the field named `stamp`, if any, with anything.
    """
    old = find(status, kind)
    new = {
        "type": kind,
        "status": "True" if value else "False",
        "reason": reason,
        "message": message,
    }
    if old and new.items() <= old.items():
        return old
    moment = now()
    same = old is not None and old["status"] == new["status"]
    transition = (old or {}).get("lastTransitionTime") if same else moment
    stamped = {stamp: moment} if stamp else {}
    return new | stamped | {"lastTransitionTime": transition or moment}

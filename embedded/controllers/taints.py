"""Taints of nodes, and the tolerations of Pods."""

from __future__ import annotations

from collections.abc import Iterable

from embedded.client import Json

NO_SCHEDULE = frozenset({"NoSchedule", "NoExecute"})
"""The effects that keep a Pod from a node."""


def untolerated(taints: Iterable[Json], pod: Json, effects: frozenset[str]) -> Json | None:
    """The first taint with one of these effects that a Pod does not tolerate."""
    given = pod["spec"].get("tolerations") or []
    for taint in taints:
        if taint.get("effect") in effects and not any(tolerates(item, taint) for item in given):
            return taint
    return None


def tolerates(toleration: Json, taint: Json) -> bool:
    """Return whether a toleration is for a taint."""
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    key, operator = toleration.get("key") or "", toleration.get("operator") or "Equal"
    if not key:
        return bool(operator == "Exists")
    if key != taint["key"]:
        return False
    return operator == "Exists" or (toleration.get("value") or "") == (taint.get("value") or "")

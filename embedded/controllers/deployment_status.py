"""The status of a Deployment, computed from its ReplicaSets."""

from __future__ import annotations

from collections.abc import Callable

from embedded.client import Json
from embedded.controllers import conditions, rolling
from embedded.controllers.pods import seconds_since
from embedded.controllers.replicasets import FAILURE

_STAMP = "lastUpdateTime"


def of(deployment: Json, sets: list[Json], is_new: Callable[[Json], bool]) -> Json:
    """Make the status anew; `is_new` tells the ReplicaSet of the current template."""
    old = deployment.get("status") or {}
    status = _counts(deployment, sets, is_new)
    status["observedGeneration"] = deployment["metadata"].get("generation", 1)
    progress = _progress(deployment, status, [s for s in sets if is_new(s)])
    failures = _failures(old, sorted(sets, key=is_new, reverse=True))
    status["conditions"] = [_availability(deployment, old, status), progress, *failures]
    return status


def seconds_to_deadline(deployment: Json, status: Json) -> float | None:
    """Seconds until an unfinished rollout counts as failed; None if there is no such moment."""
    progress = conditions.find(status, "Progressing")
    limit = deployment["spec"].get("progressDeadlineSeconds", 600)
    settled = ("NewReplicaSetAvailable", "ProgressDeadlineExceeded")
    if not progress or progress["reason"] in settled or limit is None:
        return None
    return max(1.0, int(limit) - seconds_since(progress[_STAMP]))


def _counts(deployment: Json, sets: list[Json], is_new: Callable[[Json], bool]) -> Json:
    wanted = int(deployment["spec"].get("replicas", 1))
    available = _total(sets, "availableReplicas")
    counts = {
        "replicas": _total(sets, "replicas"),
        "updatedReplicas": _total([s for s in sets if is_new(s)], "replicas"),
        "readyReplicas": _total(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, max(wanted, _total(sets, "replicas")) - available),
    }
    return {name: count for name, count in counts.items() if count}


def _total(sets: list[Json], field: str) -> int:
    return sum(int((s.get("status") or {}).get(field) or 0) for s in sets)


def _availability(deployment: Json, old: Json, status: Json) -> Json:
    enough = status.get("availableReplicas", 0) >= rolling.limits(deployment["spec"]).available
    reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    message = f"Deployment {'has' if enough else 'does not have'} minimum availability."
    return conditions.update(old, "Available", enough, reason, message, _STAMP)


def _failures(old: Json, sets: list[Json]) -> list[Json]:
    """Why Pods are refused: of the current ReplicaSet first, else of an older one."""
    for replica_set in sets:
        found = conditions.find(replica_set.get("status") or {}, FAILURE)
        if found:
            reason, message = found.get("reason", ""), found.get("message", "")
            value = found["status"] == "True"
            return [conditions.update(old, FAILURE, value, reason, message, _STAMP)]
    return []


def _progress(deployment: Json, status: Json, new: list[Json]) -> Json:
    old = deployment.get("status") or {}
    if _is_complete(deployment, status) and new:
        name = new[0]["metadata"]["name"]
        message = f'ReplicaSet "{name}" has successfully progressed.'
        return conditions.update(
            old, "Progressing", True, "NewReplicaSetAvailable", message, _STAMP
        )
    before = conditions.find(old, "Progressing")
    if before and not _has_moved(old, status) and not _is_new_rollout(before, new):
        return _overdue(deployment, old, before) or before
    name = new[0]["metadata"]["name"] if new else deployment["metadata"]["name"]
    message = f'ReplicaSet "{name}" is progressing.'
    return conditions.update(old, "Progressing", True, "ReplicaSetUpdated", message, _STAMP)


def _is_complete(deployment: Json, status: Json) -> bool:
    wanted = int(deployment["spec"].get("replicas", 1))
    names = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(name, 0) == wanted for name in names)


def _has_moved(old: Json, status: Json) -> bool:
    names = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return any(status.get(name, 0) > old.get(name, 0) for name in names)


def _is_new_rollout(before: Json, new: list[Json]) -> bool:
    return bool(new) and f'"{new[0]["metadata"]["name"]}"' not in before["message"]


def _overdue(deployment: Json, old: Json, before: Json) -> Json | None:
    limit = deployment["spec"].get("progressDeadlineSeconds", 600)
    if limit is None or before["reason"] == "NewReplicaSetAvailable":
        return None
    if seconds_since(before[_STAMP]) < int(limit):
        return None
    message = before["message"].replace("is progressing", "has timed out progressing")
    reason = "ProgressDeadlineExceeded"
    return conditions.update(old, "Progressing", False, reason, message, _STAMP)

"""Pods as controllers see them: their conditions, and their making from a template."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from embedded.client import Json
from embedded.controllers.ownership import controller_reference

# No vowels and nothing that looks alike, as in the names that Kubernetes makes.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def seconds_since(moment: str) -> float:
    """Seconds that have passed since a Kubernetes timestamp."""
    then = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return (datetime.now(UTC) - then).total_seconds()


def template_hash(template: Json) -> str:
    """A short stable name for the contents of a Pod template."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()[:10]
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)


def from_template(template: Json, owner: Json, metadata: Json) -> Json:
    """Make a Pod of `owner` from its template; `metadata` is merged over the template's."""
    given = template.get("metadata") or {}
    merged = {name: value for name, value in given.items() if name in ("annotations", "finalizers")}
    merged |= {name: value for name, value in metadata.items() if name != "labels"}
    merged["namespace"] = owner["metadata"]["namespace"]
    merged["labels"] = (given.get("labels") or {}) | (metadata.get("labels") or {})
    merged["ownerReferences"] = [controller_reference(owner)]
    spec = dict(template.get("spec") or {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": merged, "spec": spec}


def phase(pod: Json) -> str:
    """`status.phase`; Pending as long as no node has said anything."""
    return str((pod.get("status") or {}).get("phase") or "Pending")


def is_finished(pod: Json) -> bool:
    """Return whether all containers of the Pod have ended for good."""
    return phase(pod) in ("Succeeded", "Failed")


def is_terminating(pod: Json) -> bool:
    """Return whether the deletion of the Pod was asked for."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_active(pod: Json) -> bool:
    """Return whether the Pod counts as a replica."""
    return not is_finished(pod) and not is_terminating(pod)


def is_ready(pod: Json) -> bool:
    """Return whether the condition Ready of the Pod is True."""
    return _ready_condition(pod).get("status") == "True"


def ready_since(pod: Json) -> str:
    """Return when the condition Ready of the Pod last changed; empty as long as it has none."""
    return str(_ready_condition(pod).get("lastTransitionTime") or "")


def seconds_until_available(pod: Json, min_ready: int) -> float | None:
    """Seconds until a ready Pod counts as available; 0 if it does, None if it is not ready."""
    condition = _ready_condition(pod)
    if condition.get("status") != "True":
        return None
    if not min_ready or not condition.get("lastTransitionTime"):
        return 0.0
    return max(0.0, min_ready - seconds_since(condition["lastTransitionTime"]))


def is_available(pod: Json, min_ready: int) -> bool:
    """Return whether the Pod has been ready for `min_ready` seconds."""
    return seconds_until_available(pod, min_ready) == 0.0


def next_look(pods: list[Json], min_ready: int) -> float | None:
    """Seconds until the next ready Pod becomes available; None if none is on its way."""
    waits = [seconds_until_available(pod, min_ready) for pod in pods]
    return min((wait for wait in waits if wait), default=None)


def _ready_condition(pod: Json) -> Json:
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition["type"] == "Ready":
            found: Json = condition
            return found
    return {}

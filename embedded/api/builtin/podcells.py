"""The cells of a Pod: how many containers are ready, one word for its state, restarts.

The word is chosen as Kubernetes chooses it (pkg/printers/internalversion, `printPod`).
"""

from __future__ import annotations

from embedded.api.columns import age
from embedded.api.jsons import Json, at


def ready(pod: Json) -> str:
    """`1/2`."""
    states = at(pod, "status", "containerStatuses") or []
    count = sum(bool(state.get("ready")) for state in states)
    return f"{count}/{len(at(pod, 'spec', 'containers') or [])}"


def restarts(pod: Json) -> str:
    """`3 (5m ago)`."""
    states = at(pod, "status", "containerStatuses") or []
    count = sum(state.get("restartCount", 0) for state in states)
    ends = [at(state, "lastState", "terminated", "finishedAt") for state in states]
    last = max(filter(None, ends), default=None)
    return f"{count} ({age(last)} ago)" if count and last else str(count)


def status(pod: Json) -> str:
    """One word: `Running`, `Init:0/1`, `ContainerCreating`, `CrashLoopBackOff`, `Terminating`."""
    found = at(pod, "status", "reason") or at(pod, "status", "phase") or "Unknown"
    found = _starting(pod) or _of_containers(pod) or found
    return "Terminating" if at(pod, "metadata", "deletionTimestamp") else found


def _starting(pod: Json) -> str:
    """Return the state of the init containers; empty once they are through."""
    states = at(pod, "status", "initContainerStatuses") or []
    total = len(at(pod, "spec", "initContainers") or [])
    for position, state in enumerate(states):
        now = state.get("state") or {}
        ended = now.get("terminated")
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if ended is not None:
            word = ended.get("reason") or f"ExitCode:{ended.get('exitCode')}"
            return f"Init:{word}"
        reason = at(now, "waiting", "reason")
        if reason and reason != "PodInitializing":
            return f"Init:{reason}"
        return f"Init:{position}/{total}"
    return ""


def _of_containers(pod: Json) -> str:
    states = at(pod, "status", "containerStatuses") or []
    found = ""
    for state in reversed(states):
        now = state.get("state") or {}
        ended = now.get("terminated")
        if at(now, "waiting", "reason"):
            found = now["waiting"]["reason"]
        elif ended is not None:
            found = ended.get("reason") or f"ExitCode:{ended.get('exitCode')}"
    if found == "Completed" and any(at(state, "state", "running") for state in states):
        conditions = at(pod, "status", "conditions") or []
        well = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
        return "Running" if well else "NotReady"
    return found

"""A Pod's status, worked out from its spec and from what its containers are at.

Rules: Kubernetes documentation, "Pod Lifecycle".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embedded.client import Json
from embedded.node.pods.state import ContainerState, Running, Terminated


@dataclass(frozen=True, kw_only=True)
class PodState:
    """All that a status is made of."""

    inits: Sequence[ContainerState]
    containers: Sequence[ContainerState]
    started_at: str
    host_ip: str
    pod_ip: str = ""
    reason: str = ""
    message: str = ""


def restart_policy(pod: Json) -> str:
    """Return Always, OnFailure or Never."""
    return str(pod["spec"].get("restartPolicy") or "Always")


def is_sidecar(container: Json) -> bool:
    """Say whether an init container goes on running beside the others."""
    return container.get("restartPolicy") == "Always"


def phase_of(pod: Json, state: PodState) -> str:
    """Return the Pod's phase."""
    policy = restart_policy(pod)
    if policy == "Never" and any(_failed(c) for c in _one_shot(pod, state)):
        return "Failed"
    ended = [c.now for c in state.containers if isinstance(c.now, Terminated)]
    if len(ended) == len(state.containers) and policy != "Always":
        return _final_phase(ended, policy)
    seen = any(isinstance(c.now, Running | Terminated) or c.last for c in state.containers)
    return "Running" if seen else "Pending"


def _final_phase(ended: list[Terminated], policy: str) -> str:
    if all(e.exit_code == 0 for e in ended):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _one_shot(pod: Json, state: PodState) -> list[ContainerState]:
    specs = pod["spec"].get("initContainers") or []
    return [s for spec, s in zip(specs, state.inits, strict=False) if not is_sidecar(spec)]


def _failed(container: ContainerState) -> bool:
    return isinstance(container.now, Terminated) and container.now.exit_code != 0


def status_of(pod: Json, state: PodState, now: str) -> Json:
    """Return the whole status; `now` stamps the conditions that changed against `pod`'s."""
    phase = phase_of(pod, state)
    before = {c["type"]: c for c in (pod.get("status") or {}).get("conditions") or []}
    problems = _problems(pod, state, phase, before)
    ours = [_condition(kind, before.get(kind), p, now) for kind, p in problems.items()]
    status: Json = {
        "phase": phase,
        # Others may have conditions of their own, such as readiness gates.
        "conditions": [*ours, *(c for kind, c in before.items() if kind not in problems)],
        "hostIP": state.host_ip,
        "hostIPs": [{"ip": state.host_ip}],
        "startTime": state.started_at,
        "containerStatuses": [c.as_json() for c in state.containers],
        # A merge patch: what does not apply any more is taken out.
        "reason": state.reason or None,
        "message": state.message or None,
    }
    if state.pod_ip:
        status |= {"podIP": state.pod_ip, "podIPs": [{"ip": state.pod_ip}]}
    if state.inits:
        status["initContainerStatuses"] = [c.as_json() for c in state.inits]
    return status


_Problem = tuple[str, str]
"""Reason and message of a condition that is False."""


def _problems(
    pod: Json, state: PodState, phase: str, before: dict[str, Json]
) -> dict[str, _Problem | None]:
    """Return, for each condition, what keeps it from being True."""
    containers = _containers_problem(state, phase)
    gates = [g["conditionType"] for g in pod["spec"].get("readinessGates") or []]
    closed = [g for g in gates if (before.get(g) or {}).get("status") != "True"]
    gate = ("ReadinessGatesNotReady", f"corresponding conditions not True: {closed}")
    return {
        "PodReadyToStartContainers": None if state.pod_ip else ("", ""),
        "Initialized": _init_problem(pod, state, phase),
        "Ready": containers or (gate if closed else None),
        "ContainersReady": containers,
        "PodScheduled": None,
    }


def _init_problem(pod: Json, state: PodState, phase: str) -> _Problem | None:
    specs = pod["spec"].get("initContainers") or []
    late = [
        s.name
        for spec, s in zip(specs, state.inits, strict=False)
        if not (s.started if is_sidecar(spec) else _succeeded(s))
    ]
    if not late or phase == "Succeeded":
        return None
    return "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(late)}]"


def _succeeded(container: ContainerState) -> bool:
    return isinstance(container.now, Terminated) and container.now.exit_code == 0


def _containers_problem(state: PodState, phase: str) -> _Problem | None:
    if phase == "Succeeded":
        return "PodCompleted", ""
    if phase == "Failed":
        return "PodFailed", ""
    late = [c.name for c in state.containers if not c.ready]
    if not late:
        return None
    return "ContainersNotReady", f"containers with unready status: [{' '.join(late)}]"


def _condition(kind: str, before: Json | None, problem: _Problem | None, now: str) -> Json:
    status = "True" if problem is None else "False"
    since = now
    if before and before["status"] == status and before.get("lastTransitionTime"):
        since = before["lastTransitionTime"]
    condition = {"type": kind, "status": status, "lastTransitionTime": since}
    if problem and problem[0]:
        condition["reason"] = problem[0]
    if problem and problem[1]:
        condition["message"] = problem[1]
    return condition

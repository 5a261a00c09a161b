from __future__ import annotations

import pytest

from embedded.node.pods.state import ContainerState, Running, Terminated, Waiting
from embedded.node.pods.status import PodState, status_of
from tests.embedded.node.cluster import Json, pod

NOW, BEFORE = "2024-01-01T00:00:10Z", "2024-01-01T00:00:00Z"


def ended(code: int) -> Terminated:
    return Terminated(
        exit_code=code,
        reason="Error" if code else "Completed",
        started_at=BEFORE,
        finished_at=NOW,
        container_id="box://1",
    )


def app(now: Waiting | Running | Terminated, *, ready: bool = False) -> ContainerState:
    return ContainerState(name="app", image="x", now=now, ready=ready, started=ready)


def status(
    a_pod: Json, *containers: ContainerState, inits: tuple[ContainerState, ...] = ()
) -> Json:
    state = PodState(
        inits=inits,
        containers=containers,
        started_at=BEFORE,
        host_ip="10.244.0.1",
        pod_ip="10.244.0.9",
    )
    return status_of(a_pod, state, NOW)


def condition(found: Json, kind: str) -> Json:
    (one,) = [c for c in found["conditions"] if c["type"] == kind]
    return dict(one)


CREATING = app(Waiting(reason="ContainerCreating"))
UP = app(Running(started_at=BEFORE), ready=True)


@pytest.mark.parametrize(
    ("policy", "container", "phase"),
    [
        ("Always", CREATING, "Pending"),
        ("Always", UP, "Running"),
        ("Always", app(ended(0)), "Running"),
        ("Never", app(ended(0)), "Succeeded"),
        ("Never", app(ended(3)), "Failed"),
        ("OnFailure", app(ended(3)), "Running"),
        ("OnFailure", app(ended(0)), "Succeeded"),
    ],
)
def test_the_phase_follows_from_containers_and_policy(
    policy: str, container: ContainerState, phase: str
) -> None:
    assert status(pod(restartPolicy=policy), container)["phase"] == phase


def test_a_failed_init_container_fails_a_pod_that_never_restarts() -> None:
    a_pod = pod(restartPolicy="Never", initContainers=[{"name": "setup", "image": "x"}])
    setup = ContainerState(name="setup", image="x", now=ended(1))
    found = status(a_pod, CREATING, inits=(setup,))
    assert found["phase"] == "Failed"
    assert (
        condition(found, "Initialized")["message"] == "containers with incomplete status: [setup]"
    )


def test_ready_follows_all_containers_and_says_which_are_late() -> None:
    other = ContainerState(name="other", image="x", now=Running(started_at=BEFORE))
    late = condition(status(pod(), UP, other), "Ready")
    assert (late["status"], late["reason"]) == ("False", "ContainersNotReady")
    assert late["message"] == "containers with unready status: [other]"
    assert condition(status(pod(), UP), "Ready")["status"] == "True"


def test_a_readiness_gate_keeps_the_pod_from_being_ready() -> None:
    gated = pod(readinessGates=[{"conditionType": "example.com/ok"}])
    assert condition(status(gated, UP), "Ready")["reason"] == "ReadinessGatesNotReady"
    gated["status"] = {"conditions": [{"type": "example.com/ok", "status": "True"}]}
    assert condition(status(gated, UP), "Ready")["status"] == "True"


def test_a_condition_that_stays_keeps_its_time() -> None:
    a_pod = pod()
    a_pod["status"] = {
        "conditions": [
            {"type": "Initialized", "status": "True", "lastTransitionTime": BEFORE},
            {"type": "Ready", "status": "False", "lastTransitionTime": BEFORE},
        ]
    }
    found = status(a_pod, UP)
    assert condition(found, "Initialized")["lastTransitionTime"] == BEFORE
    assert condition(found, "Ready")["lastTransitionTime"] == NOW

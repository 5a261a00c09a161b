"""Nodes that give no sign of life, and what becomes of their Pods."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from embedded.client import LEASES, NODES, PODS, Json
from embedded.controllers import conditions
from embedded.timestamps import now
from fixtures.kube.waiting import NotYet, ask_again
from fixtures.run.deadlines import Deadline
from tests.embedded.client.api_process import api_server
from tests.embedded.controllers.conftest import controlled
from tests.embedded.controllers.objects import template
from tests.embedded.controllers.seen import Condition, gone
from tests.embedded.controllers.world import NODE, Items, World

_UNREACHABLE = "node.kubernetes.io/unreachable"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A cluster whose controllers give a node up after two seconds."""
    options = ("--node-monitor-grace-period", "2")
    with (
        api_server(tmp_path_factory.mktemp("api")) as api,
        controlled(api.kubeconfig, tmp_path_factory.mktemp("controllers"), *options) as world,
    ):
        yield world


def alive(world: World) -> None:
    """Say that the node is Ready, as its kubelet does."""
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "lastHeartbeatTime": now(),
        "lastTransitionTime": now(),
    }
    world.patch(NODES, NODE, None, {"status": {"conditions": [ready]}}, "status")


def is_ready(word: str, name: str = NODE) -> Condition:
    def met(items: Items) -> bool:
        found = conditions.find((items.get(name) or {}).get("status") or {}, "Ready")
        return found is not None and found["status"] == word

    return met


def pod(name: str, *tolerations: Json) -> Json:
    spec = template(name)["spec"]
    return {"metadata": {"name": name}, "spec": spec | {"tolerations": list(tolerations)}}


def running(name: str, ready: bool) -> Condition:
    def met(items: Items) -> bool:
        return (
            name in items and conditions.is_true(items[name].get("status") or {}, "Ready") is ready
        )

    return met


def tainted(*keys: str) -> Condition:
    def met(items: Items) -> bool:
        found = (items[NODE].get("spec") or {}).get("taints") or [] if NODE in items else None
        return found is not None and {taint["key"] for taint in found} == set(keys)

    return met


def test_a_silent_node_loses_its_pods_and_comes_back(short: World) -> None:
    namespace = short.namespace()
    alive(short)
    brief = {"key": _UNREACHABLE, "operator": "Exists", "effect": "NoExecute"}
    short.create(PODS, pod("brief", brief | {"tolerationSeconds": 1}), namespace)
    short.create(PODS, pod("usual"), namespace)
    for name in ("brief", "usual"):
        short.eventually(PODS, namespace, running(name, True), f"{name} does not run")
    node = short.eventually(NODES, "", is_ready("Unknown"), "the node stays Ready")[NODE]
    ready = conditions.find(node["status"], "Ready")
    assert ready
    assert ready["reason"] == "NodeStatusUnknown"
    assert ready["message"] == "Kubelet stopped posting node status."
    node = short.eventually(NODES, "", tainted(_UNREACHABLE), "there is no taint")[NODE]
    effects = {taint["effect"]: taint for taint in node["spec"]["taints"]}
    assert set(effects) == {"NoSchedule", "NoExecute"}
    assert effects["NoExecute"]["timeAdded"]
    short.eventually(PODS, namespace, gone("brief"), "it is not evicted")
    usual = short.eventually(PODS, namespace, running("usual", False), "it stays ready")["usual"]
    assert not usual["metadata"].get("deletionTimestamp")
    alive(short)
    short.eventually(NODES, "", tainted(), "the taints stay")


def test_a_renewed_lease_is_a_sign_of_life(short: World) -> None:
    alive(short)
    short.eventually(NODES, "", is_ready("True"), "the node is not Ready")
    lease = {
        "metadata": {"name": NODE, "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": NODE, "leaseDurationSeconds": 2},
    }
    short.create(LEASES, lease, "kube-node-lease")
    # A later node, silent from the start, is given up while this one renews.
    short.create(NODES, {"metadata": {"name": "later"}})
    ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": now()}
    short.patch(NODES, "later", None, {"status": {"conditions": [ready]}}, "status")
    numbers = count(1)

    def renewed() -> bool | NotYet:
        moment = {"spec": {"renewTime": f"2026-01-01T00:00:00.{next(numbers):06}Z"}}
        short.patch(LEASES, NODE, "kube-node-lease", moment)
        given_up = is_ready("Unknown", "later")({"later": short.get(NODES, "later")})
        return given_up or NotYet("it is Ready")

    deadline = Deadline(name="given-up", seconds=60, until="the silent node is given up")
    ask_again("the later node is Unknown", renewed, deadline)
    assert is_ready("True")({NODE: short.get(NODES, NODE)})
    short.delete(NODES, "later")


def test_a_taint_of_a_user_evicts_who_does_not_tolerate_it(world: World, namespace: str) -> None:
    own = {"key": "own", "operator": "Exists", "effect": "NoExecute"}
    world.create(PODS, pod("tolerant", own), namespace)
    world.create(PODS, pod("other"), namespace)
    for name in ("tolerant", "other"):
        world.eventually(PODS, namespace, running(name, True), f"{name} does not run")
    taint = {"key": "own", "value": "x", "effect": "NoExecute"}
    try:
        world.patch(NODES, NODE, None, {"spec": {"taints": [taint]}})
        world.eventually(PODS, namespace, gone("other"), "it is not evicted")
        assert not world.get(PODS, "tolerant", namespace)["metadata"].get("deletionTimestamp")
    finally:
        world.patch(NODES, NODE, None, {"spec": {"taints": None}})

"""Pods that get no node yet, and what is said of them and of their claims."""

from __future__ import annotations

import pytest

from embedded.client import EVENTS, NODES, PODS, PVCS, STORAGECLASSES, Json
from embedded.controllers import conditions
from tests.embedded.controllers.objects import claim, template
from tests.embedded.controllers.seen import Condition, status
from tests.embedded.controllers.world import NODE, Items, World

_NOT_HELPFUL = (
    ". no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not "
    "helpful for scheduling."
)


def user(claim_name: str, name: str = "user", **spec: object) -> Json:
    """A Pod that uses a claim."""
    volume = {"name": "d", "persistentVolumeClaim": {"claimName": claim_name}}
    made = template("user")["spec"] | {"volumes": [volume]} | spec
    return {"metadata": {"name": name}, "spec": made}


def of_class(name: str, storage_class: str) -> Json:
    made = claim(name)
    made["spec"]["storageClassName"] = storage_class
    return made


def unschedulable(name: str) -> Condition:
    def met(items: Items) -> bool:
        found = conditions.find(items[name].get("status") or {}, "PodScheduled")
        return found is not None and found["status"] == "False"

    return lambda items: name in items and met(items)


def why(world: World, namespace: str, name: str = "user") -> str:
    """Wait for the word that a Pod has no node; gives it, the same in condition and event."""
    pod = world.eventually(PODS, namespace, unschedulable(name), f"{name} is not judged")[name]
    found = conditions.find(pod["status"], "PodScheduled")
    assert found
    assert (pod["status"]["phase"], found["reason"]) == ("Pending", "Unschedulable")
    event = told(world, namespace, "FailedScheduling", name)
    assert (event["type"], event["source"]["component"]) == ("Warning", "default-scheduler")
    assert event["message"] == found["message"]
    return str(found["message"])


def told(world: World, namespace: str, reason: str, name: str) -> Json:
    def found(items: Items) -> list[Json]:
        return [
            event
            for event in items.values()
            if (event["reason"], event["involvedObject"]["name"]) == (reason, name)
        ]

    items = world.eventually(EVENTS, namespace, found, f"{reason} is not told of {name}")
    return found(items)[-1]


def scheduled(world: World, namespace: str, name: str = "user") -> None:
    def met(items: Items) -> bool:
        return name in items and bool(items[name]["spec"].get("nodeName"))

    world.eventually(PODS, namespace, met, f"{name} has no node")


def test_a_claim_without_its_class_keeps_the_pod_pending(world: World, namespace: str) -> None:
    world.create(PVCS, of_class("data", "none"), namespace)
    world.create(PODS, user("data"), namespace)
    text = "pod has unbound immediate PersistentVolumeClaims"
    assert why(world, namespace) == f"0/1 nodes are available: {text}{_NOT_HELPFUL}"
    event = told(world, namespace, "ProvisioningFailed", "data")
    assert event["message"] == 'storageclass.storage.k8s.io "none" not found'
    assert event["source"]["component"] == "persistentvolume-controller"


def test_a_claim_that_is_not_there_is_named(world: World, namespace: str) -> None:
    world.create(PODS, user("data"), namespace)
    text = 'persistentvolumeclaim "data" not found'
    assert why(world, namespace) == f"0/1 nodes are available: {text}{_NOT_HELPFUL}"
    world.create(PVCS, claim("data"), namespace)
    scheduled(world, namespace)


@pytest.mark.parametrize(
    ("storage_class", "reason", "text"),
    [
        ("", "FailedBinding", "no persistent volumes available for this claim and no storage"),
        ("foreign", "ExternalProvisioning", "by the external provisioner 'example.com/disks'"),
    ],
)
def test_what_a_claim_waits_for_is_told(
    world: World, namespace: str, storage_class: str, reason: str, text: str
) -> None:
    if storage_class:
        made = {"metadata": {"name": storage_class}, "provisioner": "example.com/disks"}
        world.create(STORAGECLASSES, made)
    world.create(PVCS, of_class("data", storage_class), namespace)
    event = told(world, namespace, reason, "data")
    assert (event["type"], text in event["message"]) == ("Normal", True)
    if storage_class:
        world.delete(STORAGECLASSES, storage_class)


def test_a_claim_may_wait_for_its_first_pod(world: World, namespace: str) -> None:
    late = {
        "metadata": {"name": "late"},
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }
    world.create(STORAGECLASSES, late)
    world.create(PVCS, of_class("data", "late"), namespace)
    event = told(world, namespace, "WaitForFirstConsumer", "data")
    assert event["message"] == "waiting for first consumer to be created before binding"
    assert "volumeName" not in world.get(PVCS, "data", namespace)["spec"]
    world.create(PODS, user("data"), namespace)
    scheduled(world, namespace)
    bound = world.eventually(PVCS, namespace, status("data", phase="Bound"), "it is not bound")
    assert bound["data"]["spec"]["storageClassName"] == "late"
    world.delete(STORAGECLASSES, "late")


def test_a_class_that_comes_later_binds_the_claim(world: World, namespace: str) -> None:
    world.create(PVCS, of_class("data", "later"), namespace)
    world.create(PODS, user("data"), namespace)
    why(world, namespace)
    world.create(
        STORAGECLASSES, {"metadata": {"name": "later"}, "provisioner": "rancher.io/local-path"}
    )
    scheduled(world, namespace)
    world.delete(STORAGECLASSES, "later")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"unschedulable": True}, "1 node(s) were unschedulable"),
        (
            {"taints": [{"key": "own", "value": "x", "effect": "NoSchedule"}]},
            "1 node(s) had untolerated taint {own: x}",
        ),
    ],
)
def test_a_node_that_takes_no_pods_is_named(
    world: World, namespace: str, change: Json, text: str
) -> None:
    world.patch(NODES, NODE, None, {"spec": change})
    try:
        world.create(PODS, {"metadata": {"name": "user"}, "spec": template("u")["spec"]}, namespace)
        assert why(world, namespace) == f"0/1 nodes are available: {text}{_NOT_HELPFUL}"
        tolerant = template("u")["spec"] | {"tolerations": [{"operator": "Exists"}]}
        world.create(PODS, {"metadata": {"name": "tolerant"}, "spec": tolerant}, namespace)
        scheduled(world, namespace, "tolerant")
    finally:
        world.patch(NODES, NODE, None, {"spec": dict.fromkeys(change)})
    scheduled(world, namespace)

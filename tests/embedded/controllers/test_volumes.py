"""Claims and their volumes."""

from __future__ import annotations

from embedded.client import PODS, PVCS, PVS, STORAGECLASSES, Json
from tests.embedded.controllers.objects import claim, template
from tests.embedded.controllers.seen import ending, exactly, gone, status, there
from tests.embedded.controllers.world import World


def bound(world: World, namespace: str, name: str) -> Json:
    met = status(name, phase="Bound")
    return world.eventually(PVCS, namespace, met, f"{name} is not bound")[name]


def test_there_is_one_default_class(world: World) -> None:
    world.eventually(STORAGECLASSES, "", there("standard"), "no class")
    (only,) = world.do(world.client.list(STORAGECLASSES)).items
    assert only["metadata"]["annotations"] == {
        "storageclass.kubernetes.io/is-default-class": "true"
    }


def test_a_claim_is_bound_to_a_volume_of_its_own(world: World, namespace: str) -> None:
    world.create(PVCS, claim("data"), namespace)
    found = bound(world, namespace, "data")
    volume = world.get(PVS, found["spec"]["volumeName"])
    assert found["spec"]["storageClassName"] == "standard"
    assert found["status"]["capacity"] == {"storage": "1Gi"}
    assert volume["spec"]["claimRef"]["uid"] == found["metadata"]["uid"]
    assert volume["status"]["phase"] == "Bound"


def test_the_volume_goes_with_its_claim(world: World, namespace: str) -> None:
    world.create(PVCS, claim("data"), namespace)
    volume = bound(world, namespace, "data")["spec"]["volumeName"]
    world.delete(PVCS, "data", namespace)
    world.eventually(PVCS, namespace, gone("data"), "the claim stays")
    world.eventually(PVS, "", gone(volume), "the volume stays")


def test_a_claim_in_use_waits_for_its_pod(world: World, namespace: str) -> None:
    world.create(PVCS, claim("data"), namespace)
    bound(world, namespace, "data")
    made = template("user")
    used = {"name": "d", "persistentVolumeClaim": {"claimName": "data"}}
    pod = {"metadata": {"name": "user"}, "spec": made["spec"] | {"volumes": [used]}}
    world.create(PODS, pod, namespace)
    world.delete(PVCS, "data", namespace)
    # Another claim, asked for later, is gone: so this one was looked at.
    world.create(PVCS, claim("later"), namespace)
    bound(world, namespace, "later")
    world.delete(PVCS, "later", namespace)
    found = world.eventually(PVCS, namespace, gone("later"), "the claim not in use stays")
    assert ending("data")(found)
    world.delete(PODS, "user", namespace)
    world.eventually(PODS, namespace, exactly(0), "the Pod stays")
    world.eventually(PVCS, namespace, gone("data"), "the claim stays")


def test_a_claim_of_another_class_is_left_alone(world: World, namespace: str) -> None:
    made = claim("other")
    made["spec"]["storageClassName"] = "elsewhere"
    world.create(PVCS, made, namespace)
    world.create(PVCS, claim("data"), namespace)
    bound(world, namespace, "data")
    assert "volumeName" not in world.get(PVCS, "other", namespace)["spec"]

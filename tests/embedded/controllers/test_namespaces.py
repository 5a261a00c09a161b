"""The beginning and the end of a namespace."""

from __future__ import annotations

import pytest

from embedded.client import (
    CONFIGMAPS,
    DEPLOYMENTS,
    EVENTS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICEACCOUNTS,
    NotFound,
)
from tests.embedded.controllers.objects import config, deployment
from tests.embedded.controllers.seen import exactly, gone, successor, there
from tests.embedded.controllers.world import World


def test_a_namespace_begins_with_an_account_and_the_authority(world: World, namespace: str) -> None:
    world.eventually(SERVICEACCOUNTS, namespace, there("default"), "no default account")
    found = world.eventually(CONFIGMAPS, namespace, there("kube-root-ca.crt"), "no authority")
    assert found["kube-root-ca.crt"]["data"] == {"ca.crt": world.client.config.ca}


def test_they_come_back_when_they_are_deleted(world: World, namespace: str) -> None:
    for resource, name in ((SERVICEACCOUNTS, "default"), (CONFIGMAPS, "kube-root-ca.crt")):
        found = world.eventually(resource, namespace, there(name), f"no {name}")
        uid = found[name]["metadata"]["uid"]
        world.delete(resource, name, namespace)
        world.eventually(resource, namespace, successor(name, uid), f"{name} stays away")


def test_a_namespace_takes_its_content_along(world: World, namespace: str) -> None:
    world.create(DEPLOYMENTS, deployment("web", 2), namespace)
    world.create(SECRETS, {"metadata": {"name": "s"}}, namespace)
    about = {"kind": "Pod", "namespace": namespace, "name": "web"}
    world.create(EVENTS, {"metadata": {"name": "e"}, "involvedObject": about}, namespace)
    world.eventually(PODS, namespace, exactly(2), "no Pods")
    world.delete(NAMESPACES, namespace)
    world.eventually(NAMESPACES, "", gone(namespace), "the namespace stays")
    for resource in (DEPLOYMENTS, PODS, SECRETS, EVENTS, CONFIGMAPS):
        assert world.do(world.client.list(resource, namespace)).items == []


def test_a_namespace_waits_for_finalizers(world: World, namespace: str) -> None:
    world.create(CONFIGMAPS, config("held", finalizers=["example.org/hold"]), namespace)
    world.create(CONFIGMAPS, config("free"), namespace)
    world.delete(NAMESPACES, namespace)
    world.eventually(CONFIGMAPS, namespace, gone("free"), "what is free stays")
    assert world.get(NAMESPACES, namespace)["status"]["phase"] == "Terminating"
    world.patch(CONFIGMAPS, "held", namespace, {"metadata": {"finalizers": None}})
    world.eventually(NAMESPACES, "", gone(namespace), "the namespace stays")
    with pytest.raises(NotFound):
        world.get(CONFIGMAPS, "held", namespace)

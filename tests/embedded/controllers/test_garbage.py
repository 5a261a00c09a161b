"""The garbage collector."""

from __future__ import annotations

import pytest

from embedded.client import (
    CONFIGMAPS,
    CRDS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    REPLICASETS,
    SECRETS,
    Resource,
)
from embedded.controllers import conditions
from tests.embedded.controllers.objects import config, deployment, reference
from tests.embedded.controllers.seen import ending, exactly, gone, there
from tests.embedded.controllers.world import World

GROUP = "example.org"


def define(world: World, plural: str, kind: str) -> Resource:
    """Define a custom kind, and wait until it is served."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    names = {"plural": plural, "singular": kind.lower(), "kind": kind}
    spec = {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]}
    name = f"{plural}.{GROUP}"
    world.create(CRDS, {"metadata": {"name": name}, "spec": spec})
    world.eventually(
        CRDS,
        "",
        lambda items: conditions.is_true(items.get(name, {}).get("status", {}), "Established"),
        "the kind is not established",
    )
    return Resource(group=GROUP, version="v1", plural=plural, kind=kind)


@pytest.fixture(scope="module")
def widgets(world: World) -> Resource:
    """A custom kind."""
    return define(world, "widgets", "Widget")


def test_dependents_go_after_their_owner(world: World, namespace: str) -> None:
    owner = world.create(CONFIGMAPS, config("owner"), namespace)
    child = world.create(CONFIGMAPS, config("child", owner), namespace)
    world.create(SECRETS, config("grandchild", child) | {"data": {}}, namespace)
    world.delete(CONFIGMAPS, "owner", namespace)
    world.eventually(CONFIGMAPS, namespace, gone("owner", "child"), "the child stays")
    world.eventually(SECRETS, namespace, gone("grandchild"), "the grandchild stays")


def test_a_second_owner_keeps_the_dependent(world: World, namespace: str) -> None:
    one, two = (world.create(CONFIGMAPS, config(name), namespace) for name in ("one", "two"))
    owners = [reference(one), reference(two)]
    world.create(CONFIGMAPS, config("child", ownerReferences=owners), namespace)
    world.delete(CONFIGMAPS, "one", namespace)
    found = world.eventually(
        CONFIGMAPS,
        namespace,
        lambda items: "child" in items and len(items["child"]["metadata"]["ownerReferences"]) == 1,
        "the reference to the owner that is gone stays",
    )
    assert found["child"]["metadata"]["ownerReferences"] == [reference(two)]


def test_what_names_an_owner_that_never_was_goes(world: World, namespace: str) -> None:
    owner = world.create(CONFIGMAPS, config("owner"), namespace)
    stranger = reference(owner, uid="00000000-0000-0000-0000-000000000000")
    world.create(SECRETS, config("child", ownerReferences=[stranger]), namespace)
    world.eventually(SECRETS, namespace, gone("child"), "it stays")
    assert world.get(CONFIGMAPS, "owner", namespace)


def test_foreground_deletes_the_dependents_first(world: World, namespace: str) -> None:
    owner = world.create(CONFIGMAPS, config("owner"), namespace)
    blocking = reference(owner, blockOwnerDeletion=True)
    held = config("child", ownerReferences=[blocking], finalizers=["example.org/hold"])
    world.create(CONFIGMAPS, held, namespace)
    world.delete(CONFIGMAPS, "owner", namespace, "Foreground")
    found = world.eventually(CONFIGMAPS, namespace, ending("child"), "the child is not ended")
    assert ending("owner")(found)
    world.patch(CONFIGMAPS, "child", namespace, {"metadata": {"finalizers": None}})
    world.eventually(CONFIGMAPS, namespace, gone("owner", "child"), "they stay")


def test_foreground_does_not_wait_for_what_does_not_block(world: World, namespace: str) -> None:
    owner = world.create(CONFIGMAPS, config("owner"), namespace)
    held = config("child", owner, finalizers=["example.org/hold"])
    world.create(CONFIGMAPS, held, namespace)
    world.delete(CONFIGMAPS, "owner", namespace, "Foreground")
    world.eventually(CONFIGMAPS, namespace, gone("owner"), "the owner waits")
    world.eventually(CONFIGMAPS, namespace, ending("child"), "the child is not ended")
    world.patch(CONFIGMAPS, "child", namespace, {"metadata": {"finalizers": None}})
    world.eventually(CONFIGMAPS, namespace, gone("child"), "the child stays")


def test_orphans_are_set_free(world: World, namespace: str) -> None:
    owner = world.create(CONFIGMAPS, config("owner"), namespace)
    world.create(CONFIGMAPS, config("child", owner), namespace)
    world.delete(CONFIGMAPS, "owner", namespace, "Orphan")
    found = world.eventually(CONFIGMAPS, namespace, gone("owner"), "the owner stays")
    assert "ownerReferences" not in found["child"]["metadata"]


def test_a_deployment_goes_with_all_that_it_made(world: World, namespace: str) -> None:
    world.create(DEPLOYMENTS, deployment("web", 2), namespace)
    world.eventually(PODS, namespace, exactly(2), "no Pods")
    world.delete(DEPLOYMENTS, "web", namespace, "Foreground")
    world.eventually(DEPLOYMENTS, namespace, gone("web"), "the Deployment stays")
    for resource in (REPLICASETS, PODS):
        assert world.do(world.client.list(resource, namespace)).items == []


def test_pods_of_an_orphaned_replicaset_live_on(world: World, namespace: str) -> None:
    world.create(DEPLOYMENTS, deployment("web"), namespace)
    before = world.eventually(PODS, namespace, exactly(1), "no Pod")
    world.delete(DEPLOYMENTS, "web", namespace, "Orphan")
    world.eventually(DEPLOYMENTS, namespace, gone("web"), "the Deployment stays")
    # A new Deployment takes the ReplicaSet in, with its Pod.
    world.create(DEPLOYMENTS, deployment("web"), namespace)
    world.eventually(
        REPLICASETS,
        namespace,
        lambda items: (
            [bool(s["metadata"].get("ownerReferences")) for s in items.values()] == [True]
        ),
        "the ReplicaSet is not taken in",
    )
    assert set(world.eventually(PODS, namespace, exactly(1), "not one Pod")) == set(before)


def test_custom_objects_own_others(world: World, namespace: str, widgets: Resource) -> None:
    owner = world.create(widgets, {"metadata": {"name": "w"}}, namespace)
    world.create(SECRETS, config("child", owner), namespace)
    world.create(SECRETS, config("other"), namespace)
    world.delete(widgets, "w", namespace)
    world.eventually(SECRETS, namespace, gone("child"), "the child stays")
    world.eventually(SECRETS, namespace, there("other"), "what has no owner went")


def test_custom_objects_are_owned(world: World, namespace: str, widgets: Resource) -> None:
    owner = world.create(CONFIGMAPS, config("owner"), namespace)
    world.create(
        widgets, {"metadata": {"name": "w", "ownerReferences": [reference(owner)]}}, namespace
    )
    world.delete(CONFIGMAPS, "owner", namespace)
    world.eventually(widgets, namespace, gone("w"), "the custom object stays")


def test_a_kind_that_goes_takes_its_objects_and_their_dependents(
    world: World, namespace: str
) -> None:
    gadgets = define(world, "gadgets", "Gadget")
    owner = world.create(gadgets, {"metadata": {"name": "g"}}, namespace)
    world.create(SECRETS, config("child", owner), namespace)
    world.eventually(SECRETS, namespace, there("child"), "no child")
    world.delete(CRDS, f"{gadgets.plural}.{gadgets.group}")
    world.eventually(SECRETS, namespace, gone("child"), "the child stays")
    # The namespace no longer looks for objects of that kind.
    world.delete(NAMESPACES, namespace)
    world.eventually(NAMESPACES, "", gone(namespace), "the namespace stays")

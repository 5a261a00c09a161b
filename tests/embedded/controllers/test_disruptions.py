"""The status of disruption budgets, and evictions that wait for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from embedded.client import DEPLOYMENTS, PDBS, PODS, STATEFULSETS, ApiError, Json
from embedded.timestamps import now
from tests.embedded.controllers.objects import deployment, stateful_set, template
from tests.embedded.controllers.seen import exactly
from tests.embedded.controllers.world import Items, World


def budget(app: str, **spec: object) -> Json:
    selector = {"matchLabels": {"app": app}}
    return {"metadata": {"name": "budget"}, "spec": {"selector": selector, **spec}}


def status(world: World, namespace: str, **wanted: int) -> Json:
    """The status once it says these numbers."""

    def met(items: Items) -> bool:
        found = (items["budget"].get("status") or {}) if "budget" in items else {}
        return all(found.get(name) == number for name, number in wanted.items())

    found = world.eventually(PDBS, namespace, met, f"the status is not {wanted}")
    return dict(found["budget"]["status"])


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [
        ({"minAvailable": 2}, 2, 1),
        ({"minAvailable": "50%"}, 2, 1),
        ({"maxUnavailable": 1}, 2, 1),
        ({"maxUnavailable": "100%"}, 0, 3),
        ({"minAvailable": 5}, 5, 0),
    ],
)
def test_a_budget_says_how_many_pods_may_go(
    world: World, namespace: str, spec: Json, desired: int, allowed: int
) -> None:
    world.create(PDBS, budget("web", **spec), namespace)
    world.create(DEPLOYMENTS, deployment("web", 3), namespace)
    found = status(
        world, namespace, currentHealthy=3, desiredHealthy=desired, disruptionsAllowed=allowed
    )
    assert (found["expectedPods"], found["observedGeneration"]) == (3, 1)
    (condition,) = found["conditions"]
    assert (condition["type"], condition["status"]) == ("DisruptionAllowed", str(allowed > 0))


def test_pods_are_evicted_one_by_one_until_all_have_gone(world: World, namespace: str) -> None:
    world.create(PDBS, budget("db", maxUnavailable=1), namespace)
    world.create(STATEFULSETS, stateful_set("db", 2), namespace)
    before = world.eventually(PODS, namespace, exactly(2), "no two Pods")
    for name, pod in sorted(before.items()):
        status(world, namespace, disruptionsAllowed=1, currentHealthy=2)
        evict(world, namespace, name)
        uid = pod["metadata"]["uid"]
        world.eventually(PODS, namespace, replaced(name, uid), f"{name} was not replaced")


def replaced(name: str, uid: str) -> Callable[[Items], bool]:
    """Return the condition that a Pod of this name is another one."""
    return lambda items: name in items and items[name]["metadata"]["uid"] != uid


def test_a_pod_in_the_place_of_an_evicted_one_counts_at_once(world: World, namespace: str) -> None:
    """Also where the eviction is heard of when the Pod has its successor already."""
    made = template("db")
    pod = made | {"metadata": made["metadata"] | {"name": "db-0"}}
    world.create(PDBS, budget("db", minAvailable=0), namespace)
    evicted = now()
    first = world.create(PODS, pod, namespace)
    status(world, namespace, currentHealthy=1)
    world.delete(PODS, "db-0", namespace)
    status(world, namespace, currentHealthy=0)
    world.create(PODS, pod, namespace)
    world.eventually(PODS, namespace, replaced("db-0", first["metadata"]["uid"]), "no other Pod")
    status(world, namespace, currentHealthy=1)
    change = {"status": {"disruptedPods": {"db-0": evicted}, "currentHealthy": 0}}
    late = world.patch(PDBS, "budget", namespace, change, "status")

    def judged(items: Items) -> bool:
        found = items["budget"]
        version = int(found["metadata"]["resourceVersion"])
        return version > int(late["metadata"]["resourceVersion"])

    found = world.eventually(PDBS, namespace, judged, "the status is not written")["budget"]
    assert found["status"]["currentHealthy"] == 1
    assert "disruptedPods" not in found["status"]


def test_an_eviction_too_many_is_refused(world: World, namespace: str) -> None:
    world.create(PDBS, budget("web", minAvailable=2), namespace)
    world.create(DEPLOYMENTS, deployment("web", 2), namespace)
    status(world, namespace, disruptionsAllowed=0, currentHealthy=2)
    found = world.eventually(PODS, namespace, exactly(2), "no two Pods")
    with pytest.raises(ApiError, match="disruption budget"):
        evict(world, namespace, next(iter(found)))


def evict(world: World, namespace: str, name: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    path = PODS.path(namespace, name, "eviction")
    world.do(world.client.request("POST", path, body))

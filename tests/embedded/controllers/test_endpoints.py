"""Endpoints of Services, and the scheduler that places the Pods behind them."""

from __future__ import annotations

from embedded.client import DEPLOYMENTS, ENDPOINTS, PODS, SERVICES, STATEFULSETS, Json
from tests.embedded.controllers.objects import deployment, service, stateful_set, template
from tests.embedded.controllers.seen import exactly, gone, there
from tests.embedded.controllers.world import NODE, Items, World


def addresses(items: Items, name: str, field: str = "addresses") -> list[str]:
    subsets = items[name].get("subsets") or [] if name in items else []
    return [address["ip"] for subset in subsets for address in subset.get(field) or []]


def subsets(world: World, namespace: str, name: str, ready: int) -> list[Json]:
    found = world.eventually(
        ENDPOINTS,
        namespace,
        lambda items: len(addresses(items, name)) == ready,
        f"{name} has not {ready} addresses",
    )
    return list(found[name].get("subsets") or [])


def test_ready_pods_are_behind_their_service(world: World, namespace: str) -> None:
    world.create(SERVICES, service("web", "web"), namespace)
    world.create(DEPLOYMENTS, deployment("web", 2), namespace)
    (subset,) = subsets(world, namespace, "web", 2)
    assert subset["ports"] == [{"port": 5432, "protocol": "TCP"}]
    found = {a["targetRef"]["name"] for a in subset["addresses"]}
    assert found == {p["metadata"]["name"] for p in pods(world, namespace)}
    assert {a["nodeName"] for a in subset["addresses"]} == {NODE}


def test_endpoints_say_who_made_them_and_what_triggered_that(world: World, namespace: str) -> None:
    world.create(SERVICES, service("web", "web"), namespace)
    world.create(DEPLOYMENTS, deployment("web", 1), namespace)
    subsets(world, namespace, "web", 1)
    meta = world.do(world.client.get(ENDPOINTS, "web", namespace))["metadata"]
    assert meta["labels"]["endpoints.kubernetes.io/managed-by"] == "endpoint-controller"
    trigger = meta["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"]
    assert trigger == "2026-01-01T00:00:00Z"  # when the Pod became ready


def pods(world: World, namespace: str) -> list[Json]:
    return list(world.do(world.client.list(PODS, namespace)).items)


def test_pods_that_are_not_ready_are_listed_apart(world: World, namespace: str) -> None:
    world.create(SERVICES, service("web", "web"), namespace)
    made = deployment("web", template=template("web", manual=""))
    world.create(DEPLOYMENTS, made, namespace)
    (pod,) = world.eventually(PODS, namespace, exactly(1), "no Pod").values()
    world.run_pod(pod, ready=False)
    found = world.eventually(
        ENDPOINTS,
        namespace,
        lambda items: addresses(items, "web", "notReadyAddresses"),
        "the Pod is not listed",
    )
    assert addresses(found, "web") == []
    world.run_pod(pod)
    subsets(world, namespace, "web", 1)


def test_pods_that_are_not_ready_may_be_published(world: World, namespace: str) -> None:
    world.create(SERVICES, service("web", "web", publishNotReadyAddresses=True), namespace)
    made = deployment("web", template=template("web", manual=""))
    world.create(DEPLOYMENTS, made, namespace)
    (pod,) = world.eventually(PODS, namespace, exactly(1), "no Pod").values()
    world.run_pod(pod, ready=False)
    subsets(world, namespace, "web", 1)


def test_named_ports_are_those_of_each_pod(world: World, namespace: str) -> None:
    port = {"name": "sql", "port": 5432, "targetPort": "postgres"}
    world.create(SERVICES, service("db", "db", ports=[port]), namespace)
    made = template("db")
    made["spec"]["containers"][0]["ports"] = [{"name": "postgres", "containerPort": 6000}]
    world.create(DEPLOYMENTS, deployment("db", template=made), namespace)
    (subset,) = subsets(world, namespace, "db", 1)
    assert subset["ports"] == [{"name": "sql", "port": 6000, "protocol": "TCP"}]


def test_pods_of_a_headless_service_have_names(world: World, namespace: str) -> None:
    world.create(SERVICES, service("db-pods", "db", clusterIP="None"), namespace)
    world.create(STATEFULSETS, stateful_set("db"), namespace)
    (subset,) = subsets(world, namespace, "db-pods", 1)
    assert subset["addresses"][0]["hostname"] == "db-0"


def test_a_pod_leaves_with_its_label(world: World, namespace: str) -> None:
    world.create(SERVICES, service("web", "web"), namespace)
    made = template("web")
    world.create(PODS, made | {"metadata": made["metadata"] | {"name": "lone"}}, namespace)
    subsets(world, namespace, "web", 1)
    world.patch(PODS, "lone", namespace, {"metadata": {"labels": {"app": "other"}}})
    assert subsets(world, namespace, "web", 0) == []


def test_without_a_selector_the_endpoints_are_somebody_elses(world: World, namespace: str) -> None:
    world.create(SERVICES, service("by-hand", None), namespace)
    mine = [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 1, "protocol": "TCP"}]}]
    world.create(ENDPOINTS, {"metadata": {"name": "by-hand"}, "subsets": mine}, namespace)
    world.create(SERVICES, service("web", "web"), namespace)
    world.create(DEPLOYMENTS, deployment("web"), namespace)
    subsets(world, namespace, "web", 1)
    assert world.get(ENDPOINTS, "by-hand", namespace)["subsets"] == mine


def test_endpoints_go_with_their_service(world: World, namespace: str) -> None:
    world.create(SERVICES, service("web", "web"), namespace)
    world.eventually(ENDPOINTS, namespace, there("web"), "no Endpoints")
    world.delete(SERVICES, "web", namespace)
    world.eventually(ENDPOINTS, namespace, gone("web"), "the Endpoints stay")


def test_a_pod_is_bound_to_the_node(world: World, namespace: str) -> None:
    made = template("lone")
    world.create(PODS, made | {"metadata": {"name": "lone"}}, namespace)
    world.eventually(
        PODS,
        namespace,
        lambda items: items.get("lone", {}).get("spec", {}).get("nodeName") == NODE,
        "the Pod has no node",
    )


def test_a_pod_of_another_scheduler_is_left_alone(world: World, namespace: str) -> None:
    made = template("lone")
    spec = made["spec"] | {"schedulerName": "another"}
    world.create(PODS, {"metadata": {"name": "another"}, "spec": spec}, namespace)
    world.create(PODS, made | {"metadata": {"name": "ours"}}, namespace)
    found = world.eventually(
        PODS,
        namespace,
        lambda items: items.get("ours", {}).get("spec", {}).get("nodeName"),
        "the Pod has no node",
    )
    assert "nodeName" not in found["another"]["spec"]

"""Deployments and ReplicaSets."""

from __future__ import annotations

from datetime import UTC, datetime

from embedded.client import DEPLOYMENTS, EVENTS, PODS, REPLICASETS, SERVICEACCOUNTS, Json
from embedded.controllers import conditions
from tests.embedded.controllers.objects import deployment, template
from tests.embedded.controllers.seen import Condition, exactly, status
from tests.embedded.controllers.world import Items, World


def is_rolled_out(name: str, replicas: int, generation: int = 1) -> Condition:
    """A condition on Deployments: all Pods are of the newest template, and available."""

    def met(items: Items) -> bool:
        said = items[name].get("status", {}) if name in items else {}
        wanted = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        counts = [said.get(field, 0) for field in wanted]
        return counts == [replicas] * 4 and said.get("observedGeneration") == generation

    return met


def rolled_out(world: World, namespace: str, name: str, replicas: int, generation: int = 1) -> Json:
    met = is_rolled_out(name, replicas, generation)
    return world.eventually(DEPLOYMENTS, namespace, met, f"{name} is not rolled out")[name]


def images(world: World, namespace: str) -> list[str]:
    found = world.do(world.client.list(PODS, namespace)).items
    return sorted(
        pod["spec"]["containers"][0]["image"]
        for pod in found
        if not pod["metadata"].get("deletionTimestamp")
    )


def test_a_deployment_brings_its_pods_up_and_says_so(world: World, namespace: str) -> None:
    world.create(DEPLOYMENTS, deployment("web", 3), namespace)
    done = rolled_out(world, namespace, "web", 3)
    assert conditions.is_true(done["status"], "Available")
    progress = conditions.find(done["status"], "Progressing")
    assert progress
    assert progress["reason"] == "NewReplicaSetAvailable"
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    assert "unavailableReplicas" not in done["status"]


def test_names_and_labels_are_those_of_kubernetes(world: World, namespace: str) -> None:
    world.create(DEPLOYMENTS, deployment("web"), namespace)
    rolled_out(world, namespace, "web", 1)
    (replica_set,) = world.do(world.client.list(REPLICASETS, namespace)).items
    (pod,) = world.do(world.client.list(PODS, namespace)).items
    digest = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"web-{digest}"
    assert pod["metadata"]["name"].startswith(f"web-{digest}-")
    assert pod["metadata"]["labels"] == {"app": "web", "pod-template-hash": digest}
    assert pod["metadata"]["ownerReferences"][0]["uid"] == replica_set["metadata"]["uid"]


def test_a_new_template_replaces_all_pods(world: World, namespace: str) -> None:
    world.create(DEPLOYMENTS, deployment("web", 3), namespace)
    rolled_out(world, namespace, "web", 3)
    change = {"spec": {"template": template("web", image="two")}}
    world.patch(DEPLOYMENTS, "web", namespace, change)
    rolled_out(world, namespace, "web", 3, generation=2)
    assert images(world, namespace) == ["two"] * 3
    found = world.do(world.client.list(REPLICASETS, namespace)).items
    assert sorted(s["spec"]["replicas"] for s in found) == [0, 3]


def test_a_template_that_returns_is_the_newest_revision(world: World, namespace: str) -> None:
    world.create(DEPLOYMENTS, deployment("web"), namespace)
    rolled_out(world, namespace, "web", 1)
    for generation, image in ((2, "two"), (3, "one")):
        change = {"spec": {"template": template("web", image=image)}}
        world.patch(DEPLOYMENTS, "web", namespace, change)
        done = rolled_out(world, namespace, "web", 1, generation)
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    assert len(world.do(world.client.list(REPLICASETS, namespace)).items) == 2


def test_an_update_that_does_not_become_ready_keeps_the_old_pods(
    world: World, namespace: str
) -> None:
    world.create(DEPLOYMENTS, deployment("web", 2), namespace)
    rolled_out(world, namespace, "web", 2)
    change = {"spec": {"template": template("web", image="two", manual="")}}
    world.patch(DEPLOYMENTS, "web", namespace, change)

    def one_new(items: Items) -> bool:
        new = [p for p in items.values() if p["spec"]["containers"][0]["image"] == "two"]
        return len(new) == 1 and bool(new[0]["spec"].get("nodeName"))

    world.eventually(PODS, namespace, one_new, "no Pod of the new template")
    seen = world.eventually(
        DEPLOYMENTS,
        namespace,
        status("web", updatedReplicas=1),
        "the new Pod is not counted",
    )["web"]["status"]
    assert (seen["replicas"], seen["availableReplicas"], seen["unavailableReplicas"]) == (3, 2, 1)
    assert images(world, namespace) == ["one", "one", "two"]


def test_recreate_ends_all_old_pods_before_the_first_new_one(world: World, namespace: str) -> None:
    strategy, manual = {"type": "Recreate"}, template("web", manual="")
    made = deployment("web", strategy=strategy, template=manual)
    world.create(DEPLOYMENTS, made, namespace)
    (old,) = world.eventually(PODS, namespace, exactly(1), "no Pod").values()
    world.run_pod(old)
    change = {"spec": {"template": template("web", image="two", manual="")}}
    world.patch(DEPLOYMENTS, "web", namespace, change)
    world.eventually(
        PODS,
        namespace,
        lambda items: all(p["metadata"].get("deletionTimestamp") for p in items.values()),
        "the old Pod is not being ended",
    )
    # The controller has looked at the new template, and waits.
    world.eventually(
        DEPLOYMENTS,
        namespace,
        status("web", observedGeneration=2),
        "the new template is not observed",
    )
    assert images(world, namespace) == []
    world.end_pod(old)
    world.eventually(
        PODS,
        namespace,
        lambda items: [p["spec"]["containers"][0]["image"] for p in items.values()] == ["two"],
        "no new Pod",
    )


def test_scaling_up_and_down(world: World, namespace: str) -> None:
    world.create(DEPLOYMENTS, deployment("web", 1), namespace)
    rolled_out(world, namespace, "web", 1)
    for generation, size in ((2, 4), (3, 2), (4, 0)):
        world.patch(DEPLOYMENTS, "web", namespace, {"spec": {"replicas": size}})
        rolled_out(world, namespace, "web", size, generation)
        world.eventually(PODS, namespace, exactly(size), f"not {size} Pods")


def test_a_deleted_pod_is_replaced(world: World, namespace: str) -> None:
    world.create(DEPLOYMENTS, deployment("web"), namespace)
    rolled_out(world, namespace, "web", 1)
    (before,) = world.do(world.client.list(PODS, namespace)).items
    world.delete(PODS, before["metadata"]["name"], namespace)
    world.eventually(
        PODS,
        namespace,
        lambda items: len(items) == 1 and before["metadata"]["name"] not in items,
        "no successor",
    )


def test_an_orphan_that_matches_is_taken_in_rather_than_doubled(
    world: World, namespace: str
) -> None:
    made = template("web")
    lone = {"metadata": made["metadata"] | {"name": "lone"}, "spec": made["spec"]}
    world.create(PODS, lone, namespace)
    body = {
        "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": made},
    }
    world.create(REPLICASETS, body, namespace)
    world.eventually(
        REPLICASETS,
        namespace,
        status("web", readyReplicas=1),
        "the ReplicaSet has no Pod",
    )
    (pod,) = world.do(world.client.list(PODS, namespace)).items
    assert pod["metadata"]["name"] == "lone"
    assert pod["metadata"]["ownerReferences"][0]["controller"] is True


def test_nothing_is_written_once_a_deployment_is_settled(world: World, namespace: str) -> None:
    world.create(DEPLOYMENTS, deployment("web"), namespace)
    before = rolled_out(world, namespace, "web", 1)
    # An annotation makes the controller look again; a second Deployment shows that it has.
    world.patch(DEPLOYMENTS, "web", namespace, {"metadata": {"annotations": {"touched": "yes"}}})
    touched = world.get(DEPLOYMENTS, "web", namespace)
    world.create(DEPLOYMENTS, deployment("later"), namespace)
    rolled_out(world, namespace, "later", 1)
    after = world.get(DEPLOYMENTS, "web", namespace)
    assert after["metadata"]["resourceVersion"] == touched["metadata"]["resourceVersion"]
    assert after["status"] == before["status"]


def test_a_rollout_that_does_not_move_is_said_to_have_failed(world: World, namespace: str) -> None:
    made = deployment("web", progressDeadlineSeconds=1, template=template("web", manual=""))
    world.create(DEPLOYMENTS, made, namespace)

    def is_overdue(items: Items) -> bool:
        said = items["web"].get("status", {}) if "web" in items else {}
        progress = conditions.find(said, "Progressing") or {}
        return progress.get("reason") == "ProgressDeadlineExceeded"

    found = world.eventually(DEPLOYMENTS, namespace, is_overdue, "it is not said")
    progress = conditions.find(found["web"]["status"], "Progressing")
    assert progress
    assert progress["status"] == "False"


def test_a_pod_counts_as_available_once_it_was_ready_long_enough(
    world: World, namespace: str
) -> None:
    made = deployment("web", minReadySeconds=8, template=template("web", manual=""))
    world.create(DEPLOYMENTS, made, namespace)
    (pod,) = world.eventually(PODS, namespace, exactly(1), "no Pod").values()
    world.run_pod(pod, since=datetime.now(UTC))
    ready = status("web", readyReplicas=1)
    found = world.eventually(DEPLOYMENTS, namespace, ready, "the Pod is not ready")["web"]["status"]
    assert found.get("availableReplicas", 0) == 0
    rolled_out(world, namespace, "web", 1)


def test_pods_of_an_account_that_is_not_there_are_said_to_be_refused(
    world: World, namespace: str
) -> None:
    made = deployment("web")
    made["spec"]["template"]["spec"]["serviceAccountName"] = "robot"
    world.create(DEPLOYMENTS, made, namespace)

    def refused(items: Items) -> bool:
        said = items["web"].get("status") or {} if "web" in items else {}
        return conditions.is_true(said, "ReplicaFailure")

    found = world.eventually(DEPLOYMENTS, namespace, refused, "nothing is said")["web"]
    failure = conditions.find(found["status"], "ReplicaFailure")
    assert failure
    assert failure["reason"] == "FailedCreate"
    why = f'error looking up service account {namespace}/robot: serviceaccount "robot" not found'
    assert failure["message"].endswith(f" is forbidden: {why}")
    events = world.do(world.client.list(EVENTS, namespace)).items
    (event,) = [item for item in events if item["reason"] == "FailedCreate"]
    assert event["message"] == f"Error creating: {failure['message']}"
    world.create(SERVICEACCOUNTS, {"metadata": {"name": "robot"}}, namespace)
    done = rolled_out(world, namespace, "web", 1)
    assert not conditions.find(done["status"], "ReplicaFailure")

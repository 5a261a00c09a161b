"""StatefulSets."""

from __future__ import annotations

from embedded.client import EVENTS, PODS, PVCS, STATEFULSETS, Json
from tests.embedded.controllers.objects import claim, stateful_set, template
from tests.embedded.controllers.seen import ending, exactly, status, successor, there
from tests.embedded.controllers.world import Items, World

HASH = "controller-revision-hash"


def settled(world: World, namespace: str, name: str, replicas: int, generation: int = 1) -> Json:
    def met(items: Items) -> bool:
        status = items[name].get("status", {}) if name in items else {}
        counts = [status.get(field) for field in ("replicas", "readyReplicas")]
        return counts == [replicas] * 2 and status["observedGeneration"] == generation

    return world.eventually(STATEFULSETS, namespace, met, f"{name} is not settled")[name]


def pods(world: World, namespace: str) -> dict[str, Json]:
    found = world.do(world.client.list(PODS, namespace)).items
    return {pod["metadata"]["name"]: pod for pod in found}


def test_pods_have_names_that_last_and_names_of_their_own(world: World, namespace: str) -> None:
    world.create(STATEFULSETS, stateful_set("db", 2), namespace)
    done = settled(world, namespace, "db", 2)
    found = pods(world, namespace)
    assert set(found) == {"db-0", "db-1"}
    pod = found["db-1"]
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-1", "db-pods")
    assert pod["metadata"]["labels"] == {
        "app": "db",
        "apps.kubernetes.io/pod-index": "1",
        "statefulset.kubernetes.io/pod-name": "db-1",
        HASH: done["status"]["updateRevision"],
    }
    world.delete(PODS, "db-0", namespace)
    came_back = successor("db-0", found["db-0"]["metadata"]["uid"])
    world.eventually(PODS, namespace, came_back, "db-0 did not come back")


def test_a_pod_that_only_wears_the_labels_is_left_alone(world: World, namespace: str) -> None:
    for name in ("debug", "debug-0", "db-00", "db-x", "db-1-0"):
        loose = template("db")
        loose["metadata"] |= {"name": name}
        world.create(PODS, loose, namespace)
    world.create(STATEFULSETS, stateful_set("db", 2), namespace)
    settled(world, namespace, "db", 2)
    world.patch(STATEFULSETS, "db", namespace, {"spec": {"replicas": 1}})
    settled(world, namespace, "db", 1, generation=2)
    found = pods(world, namespace)
    assert set(found) == {"debug", "debug-0", "db-00", "db-x", "db-1-0", "db-0"}
    owned = {name for name, pod in found.items() if pod["metadata"].get("ownerReferences")}
    assert owned == {"db-0"}


def test_an_orphan_of_the_right_name_is_taken_in(world: World, namespace: str) -> None:
    body = template("db")
    body["metadata"] |= {"name": "db-0"}
    uid = world.create(PODS, body, namespace)["metadata"]["uid"]
    made = stateful_set("db", updateStrategy={"type": "OnDelete"})
    world.create(STATEFULSETS, made, namespace)
    settled(world, namespace, "db", 1)
    (pod,) = pods(world, namespace).values()
    assert pod["metadata"]["uid"] == uid
    assert pod["metadata"]["ownerReferences"][0]["name"] == "db"


def test_status_tells_revisions_apart(world: World, namespace: str) -> None:
    world.create(STATEFULSETS, stateful_set("db"), namespace)
    found = settled(world, namespace, "db", 1)["status"]
    assert found["currentRevision"] == found["updateRevision"]
    assert (found["currentReplicas"], found["updatedReplicas"]) == (1, 1)
    assert found["availableReplicas"] == 1


def test_by_order_each_pod_waits_for_the_one_before(world: World, namespace: str) -> None:
    made = stateful_set("db", 3, template=template("db", manual=""))
    world.create(STATEFULSETS, made, namespace)
    for number in range(3):
        name = f"db-{number}"
        found = world.eventually(PODS, namespace, there(name), f"{name} is missing")
        assert set(found) == {f"db-{n}" for n in range(number + 1)}
        world.run_pod(found[name])
    settled(world, namespace, "db", 3)


def test_by_order_the_last_pod_goes_first_and_alone(world: World, namespace: str) -> None:
    made = stateful_set("db", 3, template=template("db"))
    world.create(STATEFULSETS, made, namespace)
    settled(world, namespace, "db", 3)
    # From here on nobody ends the Pods but the test.
    for name in ("db-1", "db-2"):
        world.patch(PODS, name, namespace, {"metadata": {"annotations": {"manual": ""}}})
    world.patch(STATEFULSETS, "db", namespace, {"spec": {"replicas": 1}})
    for name in ("db-2", "db-1"):
        found = world.eventually(PODS, namespace, ending(name), f"{name} is not ended")
        assert [other for other in found if ending(other)(found)] == [name]
        world.end_pod(found[name])
    settled(world, namespace, "db", 1, generation=2)


def test_parallel_starts_all_at_once(world: World, namespace: str) -> None:
    made = stateful_set("db", 3, podManagementPolicy="Parallel", template=template("db", manual=""))
    world.create(STATEFULSETS, made, namespace)
    world.eventually(PODS, namespace, exactly(3), "not all Pods are there")


def test_a_rolling_update_renews_every_pod(world: World, namespace: str) -> None:
    world.create(STATEFULSETS, stateful_set("db", 2), namespace)
    first = settled(world, namespace, "db", 2)["status"]["currentRevision"]
    change = {"spec": {"template": template("db", image="two")}}
    world.patch(STATEFULSETS, "db", namespace, change)
    done = world.eventually(
        STATEFULSETS,
        namespace,
        lambda items: items["db"]["status"].get("currentRevision") != first,
        "the update does not end",
    )["db"]["status"]
    assert done["currentRevision"] == done["updateRevision"]
    assert done["updatedReplicas"] == 2
    found = pods(world, namespace)
    assert {p["spec"]["containers"][0]["image"] for p in found.values()} == {"two"}


def test_a_partition_keeps_the_lower_pods(world: World, namespace: str) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    world.create(STATEFULSETS, stateful_set("db", 2, updateStrategy=strategy), namespace)
    settled(world, namespace, "db", 2)
    before = pods(world, namespace)["db-0"]["metadata"]["uid"]
    change = {"spec": {"template": template("db", image="two")}}
    world.patch(STATEFULSETS, "db", namespace, change)
    renewed = status("db", updatedReplicas=1, readyReplicas=2, observedGeneration=2)
    world.eventually(STATEFULSETS, namespace, renewed, "db-1 is not renewed")
    assert pods(world, namespace)["db-0"]["metadata"]["uid"] == before


def test_on_delete_renews_only_what_somebody_deletes(world: World, namespace: str) -> None:
    made = stateful_set("db", updateStrategy={"type": "OnDelete"})
    world.create(STATEFULSETS, made, namespace)
    settled(world, namespace, "db", 1)
    before = pods(world, namespace)["db-0"]["metadata"]
    change = {"spec": {"template": template("db", image="two")}}
    world.patch(STATEFULSETS, "db", namespace, change)
    found = world.eventually(
        STATEFULSETS,
        namespace,
        status("db", observedGeneration=2),
        "the new template is not observed",
    )["db"]["status"]
    assert found["updatedReplicas"] == 0
    assert found["updateRevision"] != before["labels"][HASH]
    assert pods(world, namespace)["db-0"]["metadata"]["uid"] == before["uid"]
    world.delete(PODS, "db-0", namespace)
    world.eventually(
        STATEFULSETS,
        namespace,
        status("db", updatedReplicas=1),
        "the deleted Pod did not come back renewed",
    )


def test_claims_are_made_from_templates_and_outlive_the_pods(world: World, namespace: str) -> None:
    made = stateful_set("db", volumeClaimTemplates=[claim("data")])
    world.create(STATEFULSETS, made, namespace)
    settled(world, namespace, "db", 1)
    volume, _token = pods(world, namespace)["db-0"]["spec"]["volumes"]
    assert volume == {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}
    world.delete(STATEFULSETS, "db", namespace)
    world.eventually(PODS, namespace, exactly(0), "the Pods stay")
    assert world.get(PVCS, "data-db-0", namespace)["metadata"]["labels"] == {"app": "db"}


def test_a_failed_pod_is_made_anew(world: World, namespace: str) -> None:
    world.create(STATEFULSETS, stateful_set("db"), namespace)
    settled(world, namespace, "db", 1)
    pod = pods(world, namespace)["db-0"]
    world.run_pod(pod, ready=False, phase="Failed")
    anew = successor("db-0", pod["metadata"]["uid"])
    world.eventually(PODS, namespace, anew, "the failed Pod stays")


def test_a_pod_that_is_refused_is_told_in_one_event(world: World, namespace: str) -> None:
    # With the hash of its template the name is too long for a label.
    world.create(STATEFULSETS, stateful_set("a" * 60), namespace)
    (event,) = world.eventually(EVENTS, namespace, exactly(1), "no event").values()
    assert (event["type"], event["reason"]) == ("Warning", "FailedCreate")
    assert event["involvedObject"]["kind"] == "StatefulSet"
    assert "metadata.labels" in event["message"]
    # Until it is deleted the controller goes on trying.
    world.delete(STATEFULSETS, "a" * 60, namespace)


def test_a_pod_that_is_refused_is_said_in_an_event(world: World, namespace: str) -> None:
    made = stateful_set("db")
    made["spec"]["template"]["spec"]["serviceAccountName"] = "robot"
    world.create(STATEFULSETS, made, namespace)
    events = world.eventually(EVENTS, namespace, exactly(1), "nothing is said")
    (event,) = events.values()
    assert event["reason"] == "FailedCreate"
    begin = 'create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: '
    assert event["message"].startswith(begin)

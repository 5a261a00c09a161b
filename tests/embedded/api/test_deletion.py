"""Deletion: finalizers, grace, preconditions, propagation, namespaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.api.raw import Raw

Paths = Callable[..., str]


@pytest.fixture
def held(api: Raw, core: Paths) -> str:
    """A ConfigMap with a finalizer."""
    meta = {"name": "a", "finalizers": ["example.com/f"]}
    api.post(core("configmaps"), {"metadata": meta})
    return core("configmaps", "a")


def test_an_object_goes_at_once_and_a_status_says_so(api: Raw, core: Paths) -> None:
    made = api.post(core("configmaps"), {"metadata": {"name": "a"}}).body
    answer = api.delete(core("configmaps", "a"))
    assert (answer.code, answer.body["status"]) == (200, "Success")
    assert answer.body["details"]["uid"] == made["metadata"]["uid"]
    assert api.get(core("configmaps", "a")).code == 404
    assert api.delete(core("configmaps", "a")).code == 404


def test_a_finalizer_holds_an_object_until_it_is_removed(api: Raw, held: str) -> None:
    marked = api.delete(held).body
    assert marked["metadata"]["deletionTimestamp"]
    assert api.delete(held).version == marked["metadata"]["resourceVersion"]
    gone = api.patch(held, {"metadata": {"finalizers": None}})
    assert (gone.code, api.get(held).code) == (200, 404)


def test_no_finalizer_is_added_to_what_is_being_deleted(api: Raw, held: str) -> None:
    api.delete(held)
    more = {"metadata": {"finalizers": ["example.com/f", "example.com/g"]}}
    answer = api.patch(held, more)
    assert (answer.code, answer.body["details"]["causes"][0]["field"]) == (
        *(422, "metadata.finalizers"),
    )


def test_the_deletion_mark_cannot_be_written(api: Raw, held: str) -> None:
    mark = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert "deletionTimestamp" not in api.patch(held, mark).body["metadata"]


def test_deletion_raises_the_generation(api: Raw, crd: Callable[..., str], namespace: str) -> None:
    path = f"{crd({'type': 'object'})}/namespaces/{namespace}/things"
    api.post(path, {"metadata": {"name": "t", "finalizers": ["example.com/f"]}})
    assert api.delete(f"{path}/t").body["metadata"]["generation"] == 2
    api.patch(f"{path}/t", {"metadata": {"finalizers": []}})


@pytest.mark.parametrize("name", ["uid", "resourceVersion"])
def test_a_precondition_that_fails_is_409(api: Raw, held: str, name: str) -> None:
    answer = api.delete(held, {"preconditions": {name: "1"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert "in the precondition (1) does not match the" in answer.message


def test_preconditions_that_hold(api: Raw, core: Paths) -> None:
    meta = api.post(core("configmaps"), {"metadata": {"name": "a"}}).body["metadata"]
    wanted = {name: meta[name] for name in ("uid", "resourceVersion")}
    assert api.delete(core("configmaps", "a"), {"preconditions": wanted}).code == 200


@pytest.mark.parametrize(
    ("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")]
)
def test_propagation_is_recorded_for_the_collector(
    api: Raw, core: Paths, policy: str, finalizer: str
) -> None:
    api.post(core("configmaps"), {"metadata": {"name": "a"}})
    path = core("configmaps", "a")
    marked = api.delete(path, {"propagationPolicy": policy}).body
    assert marked["metadata"]["finalizers"] == [finalizer]
    api.patch(path, {"metadata": {"finalizers": None}})
    assert api.get(path).code == 404


def test_a_background_deletion_leaves_no_finalizer(api: Raw, core: Paths) -> None:
    api.post(core("configmaps"), {"metadata": {"name": "a"}})
    api.delete(core("configmaps", "a"), propagationPolicy="Background")
    assert api.get(core("configmaps", "a")).code == 404


@pytest.fixture
def running_pod(api: Raw, core: Paths) -> str:
    spec = {"containers": [{"name": "c", "image": "i"}], "nodeName": "n"}
    api.post(core("pods"), {"metadata": {"name": "p"}, "spec": spec})
    return core("pods", "p")


def test_a_pod_has_its_grace_until_a_second_delete(api: Raw, running_pod: str) -> None:
    marked = api.delete(running_pod).body["metadata"]
    assert marked["deletionGracePeriodSeconds"] == 30
    assert marked["deletionTimestamp"] > marked["creationTimestamp"]
    shorter = api.delete(running_pod, {"gracePeriodSeconds": 5}).body["metadata"]
    assert shorter["deletionGracePeriodSeconds"] == 5
    longer = api.delete(running_pod, {"gracePeriodSeconds": 60}).body["metadata"]
    assert longer["deletionGracePeriodSeconds"] == 5
    api.delete(running_pod, {"gracePeriodSeconds": 0})
    assert api.get(running_pod).code == 404


def test_a_pod_without_a_node_goes_at_once(api: Raw, core: Paths) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    api.post(core("pods"), {"metadata": {"name": "p"}, "spec": spec})
    assert api.delete(core("pods", "p")).body["kind"] == "Pod"
    assert api.get(core("pods", "p")).code == 404


def test_a_pod_with_a_finalizer_outlives_its_grace(api: Raw, running_pod: str) -> None:
    api.patch(running_pod, {"metadata": {"finalizers": ["example.com/f"]}})
    api.delete(running_pod, {"gracePeriodSeconds": 0})
    assert api.get(running_pod).body["metadata"]["deletionGracePeriodSeconds"] == 0
    api.patch(running_pod, {"metadata": {"finalizers": None}})
    assert api.get(running_pod).code == 404


def test_a_collection_is_deleted_by_selector(api: Raw, core: Paths) -> None:
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "1"}), ("c", {})):
        api.post(core("configmaps"), {"metadata": {"name": name, "labels": labels}})
    answer = api.delete(core("configmaps"), labelSelector="x=1")
    assert (answer.code, len(answer.body["items"])) == (200, 2)
    left = api.get(core("configmaps")).body["items"]
    assert [item["metadata"]["name"] for item in left] == ["c"]


def test_a_namespace_stays_until_its_finalizer_goes(api: Raw, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    marked = api.delete(path).body
    assert marked["status"]["phase"] == "Terminating"
    answer = api.post(f"{path}/configmaps", {"metadata": {"name": "a"}})
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.body["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    unfinished: dict[str, Any] = marked | {"spec": {"finalizers": []}}
    assert api.put(path, unfinished).body["spec"]["finalizers"] == ["kubernetes"]
    unfinished["metadata"]["resourceVersion"] = ""
    api.put(f"{path}/finalize", unfinished)
    assert api.get(path).code == 404


def ready_pod(api: Raw, path: str, name: str) -> None:
    """A Pod that runs, on no node."""
    spec = {"containers": [{"name": "c", "image": "i"}]}
    api.post(path, {"metadata": {"name": name, "labels": {"a": "b"}}, "spec": spec})
    conditions = [{"type": "Ready", "status": "True"}]
    status = {"phase": "Running", "conditions": conditions}
    assert api.patch(f"{path}/{name}/status", {"status": status}).code == 200


def test_eviction_heeds_the_disruption_budget(api: Raw, core: Paths, namespace: str) -> None:
    for name in ("p", "q"):
        ready_pod(api, core("pods"), name)
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    selector = {"selector": {"matchLabels": {"a": "b"}}, "minAvailable": 1}
    api.post(budgets, {"metadata": {"name": "b"}, "spec": selector})
    unseen = api.post(core("pods", "p", "eviction"), {})
    assert (unseen.code, unseen.reason) == (429, "TooManyRequests")
    assert unseen.body["details"]["retryAfterSeconds"] > 0
    status = {"observedGeneration": 1, "currentHealthy": 2, "desiredHealthy": 1}
    api.patch(f"{budgets}/b/status", {"status": status | {"disruptionsAllowed": 1}})
    assert api.post(core("pods", "p", "eviction"), {}, dryRun="All").code == 201
    assert api.post(core("pods", "p", "eviction"), {}).code == 201
    assert api.get(core("pods", "p")).code == 404
    left = api.get(f"{budgets}/b").body["status"]
    assert (left["disruptionsAllowed"], list(left["disruptedPods"])) == (0, ["p"])
    refused = api.post(core("pods", "q", "eviction"), {})
    assert (refused.code, refused.body["details"]["causes"][0]["reason"]) == (
        429,
        "DisruptionBudget",
    )
    assert "Cannot evict pod as it would violate the pod's disruption budget" in refused.message


def test_a_pod_that_never_began_is_evicted_whatever_the_budget_says(
    api: Raw, core: Paths, namespace: str
) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    api.post(core("pods"), {"metadata": {"name": "p", "labels": {"a": "b"}}, "spec": spec})
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    api.post(budgets, {"metadata": {"name": "b"}, "spec": {"selector": {}, "minAvailable": 1}})
    assert api.post(core("pods", "p", "eviction"), {}).code == 201

"""Merge, JSON and strategic merge patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.api.raw import JSON_PATCH, MERGE, STRATEGIC, Raw

Paths = Callable[..., str]


@pytest.fixture
def pod(api: Raw, core: Paths) -> str:
    containers = [
        {"name": "a", "image": "i:1", "env": [{"name": "X", "value": "1"}]},
        {"name": "b", "image": "i:1"},
    ]
    meta = {"name": "p", "labels": {"a": "1", "b": "2"}, "finalizers": ["example.com/f"]}
    assert (
        api.post(core("pods"), {"metadata": meta, "spec": {"containers": containers}}).code == 201
    )
    return core("pods", "p")


def test_merge_patch_merges_and_null_removes(api: Raw, pod: str) -> None:
    body = api.patch(pod, {"metadata": {"labels": {"a": None, "c": "3"}}}).body
    assert body["metadata"]["labels"] == {"b": "2", "c": "3"}


def test_merge_patch_with_an_old_version_is_409(api: Raw, pod: str) -> None:
    version = api.get(pod).version
    api.patch(pod, {"metadata": {"labels": {"a": "9"}}})
    late = {"metadata": {"resourceVersion": version, "finalizers": None}}
    answer = api.patch(pod, late)
    assert (answer.code, answer.reason) == (409, "Conflict")


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_patch_that_changes_nothing_is_no_write(api: Raw, pod: str, kind: str) -> None:
    version = api.get(pod).version
    same = {"metadata": {"labels": {"a": "1"}, "annotations": None}}
    assert api.patch(pod, same, kind).version == version


def test_json_patch(api: Raw, pod: str) -> None:
    operations = [
        {"op": "test", "path": "/metadata/labels/a", "value": "1"},
        {"op": "replace", "path": "/metadata/labels/a", "value": "x"},
        {"op": "remove", "path": "/metadata/labels/b"},
    ]
    assert api.patch(pod, operations, JSON_PATCH).body["metadata"]["labels"] == {"a": "x"}


def test_a_json_patch_whose_test_fails_is_422(api: Raw, pod: str) -> None:
    operations = [{"op": "test", "path": "/metadata/labels/a", "value": "other"}]
    assert api.patch(pod, operations, JSON_PATCH).code == 422


@pytest.mark.parametrize("body", [{}, [{"op": "fly"}], [{"op": "add"}]])
def test_a_json_patch_that_is_none_is_400(api: Raw, pod: str, body: Any) -> None:
    assert api.patch(pod, body, JSON_PATCH).code == 400


def test_strategic_patch_merges_lists_by_their_key(api: Raw, pod: str) -> None:
    change = {"spec": {"containers": [{"name": "b", "image": "i:2"}]}}
    containers = api.patch(pod, change, STRATEGIC).body["spec"]["containers"]
    assert [(item["name"], item["image"]) for item in containers] == [("a", "i:1"), ("b", "i:2")]
    assert containers[0]["env"] == [{"name": "X", "value": "1"}]


def test_strategic_patch_deletes_items_and_primitives(api: Raw, pod: str) -> None:
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}
    kept = owner | {"uid": "v"}
    api.patch(pod, {"metadata": {"ownerReferences": [owner, kept]}}, STRATEGIC)
    change = {
        "metadata": {
            "ownerReferences": [{"$patch": "delete", "uid": "u"}],
            "$deleteFromPrimitiveList/finalizers": ["example.com/f"],
        }
    }
    meta = api.patch(pod, change, STRATEGIC).body["metadata"]
    assert meta["ownerReferences"] == [kept]
    assert not meta.get("finalizers")


def test_strategic_patch_adds_to_a_set(api: Raw, pod: str) -> None:
    change = {"metadata": {"finalizers": ["example.com/g"]}}
    meta = api.patch(pod, change, STRATEGIC).body["metadata"]
    assert meta["finalizers"] == ["example.com/f", "example.com/g"]
    api.patch(pod, {"metadata": {"finalizers": None}})


def test_strategic_patch_replaces_and_retains(api: Raw, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    api.post(path, {"metadata": {"name": "d", "annotations": {"x": "1"}}, "spec": spec})
    change = {
        "metadata": {"annotations": {"$patch": "replace", "y": "2"}},
        "spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}},
    }
    body = api.patch(f"{path}/d", change, STRATEGIC).body
    assert body["metadata"]["annotations"] == {"y": "2"}
    assert body["spec"]["strategy"] == {"type": "Recreate"}


def test_strategic_patch_of_a_custom_resource_is_415(
    api: Raw, crd: Callable[..., str], namespace: str
) -> None:
    path = f"{crd({'type': 'object'})}/namespaces/{namespace}/things"
    api.post(path, {"metadata": {"name": "t"}})
    answer = api.patch(f"{path}/t", {}, STRATEGIC)
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")


def test_endpoints_are_replaced_as_a_whole(api: Raw, core: Paths) -> None:
    subsets = [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 5432}]}]
    api.post(core("endpoints"), {"metadata": {"name": "e"}, "subsets": subsets})
    change = {"subsets": [{"addresses": [{"ip": "10.0.0.2"}], "ports": [{"port": 1}]}]}
    body = api.patch(core("endpoints", "e"), change, STRATEGIC).body
    assert body["subsets"][0]["addresses"] == [{"ip": "10.0.0.2"}]
    assert body["subsets"][0]["ports"] == [{"port": 1, "protocol": "TCP"}]


def test_scale(api: Raw, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template, "serviceName": "s"}
    api.post(path, {"metadata": {"name": "s"}, "spec": spec})
    scale = api.get(f"{path}/s/scale").body
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == (
        *("Scale", {"replicas": 1}, "a=b"),
    )
    scale["spec"]["replicas"] = 3
    assert api.put(f"{path}/s/scale", scale).body["spec"]["replicas"] == 3
    assert api.patch(f"{path}/s/scale", {"spec": {"replicas": 2}}).code == 200
    assert api.get(f"{path}/s").body["spec"]["replicas"] == 2
    assert api.put(f"{path}/s/scale", scale).code == 409

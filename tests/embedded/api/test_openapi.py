"""OpenAPI: what clients read of the kinds, built in and custom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.api.kubectl import Kubectl
from tests.embedded.api.raw import Raw


def document(api: Raw, path: str) -> Any:
    """The document of a group and version, where the index says that it is."""
    where = api.get("/openapi/v3").body["paths"][path]["serverRelativeURL"]
    answer = api.get(where.partition("?")[0])
    assert (answer.code, answer.body["openapi"][:2]) == (200, "3.")
    return answer.body


def references(value: Any) -> set[str]:
    """The names of all schemas that a document refers to."""
    if isinstance(value, dict):
        found = {value["$ref"].rpartition("/")[2]} if "$ref" in value else set()
        return found.union(*(references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    return set()


def test_every_document_is_there_and_whole(api: Raw) -> None:
    paths = api.get("/openapi/v3").body["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/networking.k8s.io/v1"} <= paths.keys()
    for path in paths:
        body = document(api, path)
        assert references(body) <= body["components"]["schemas"].keys()


def test_a_kind_has_its_fields_and_the_keys_of_its_lists(api: Raw) -> None:
    schemas = document(api, "apis/apps/v1")["components"]["schemas"]
    kind = schemas["io.k8s.api.apps.v1.StatefulSet"]
    assert kind["x-kubernetes-group-version-kind"] == [
        {"group": "apps", "version": "v1", "kind": "StatefulSet"}
    ]
    spec = schemas["io.k8s.api.apps.v1.StatefulSetSpec"]["properties"]
    assert spec["replicas"] == {"type": "integer", "format": "int32"}
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"


def test_a_custom_kind_is_there_with_its_schema(api: Raw, crd: Callable[..., str]) -> None:
    spec = {"type": "object", "properties": {"size": {"type": "integer", "description": "Big."}}}
    path = crd(spec).removeprefix("/")
    (kind,) = (
        schema
        for schema in document(api, path)["components"]["schemas"].values()
        if schema.get("x-kubernetes-group-version-kind", [{}])[0].get("kind") == "Thing"
    )
    assert kind["properties"]["spec"] == spec
    before = api.get("/openapi/v3").body["paths"]["api/v1"]["serverRelativeURL"]
    assert api.get("/openapi/v3").body["paths"][path]["serverRelativeURL"] != before


def test_what_is_not_served_has_no_document(api: Raw) -> None:
    for path in ("apis/none.example.com/v1", "api/v2", "apis/apps/v1/more", "x"):
        assert api.get(f"/openapi/v3/{path}").code == 404


def test_the_second_version_has_the_definitions(api: Raw) -> None:
    body = api.get("/openapi/v2").body
    assert body["swagger"] == "2.0"
    assert "io.k8s.api.core.v1.Pod" in body["definitions"]
    assert references(body) <= body["definitions"].keys()


@pytest.mark.parametrize(
    ("field", "shown"),
    [("pod.spec.restartPolicy", "<string>"), ("sts.spec", "volumeClaimTemplates"), ("ing", "spec")],
)
def test_kubectl_explains_built_in_kinds(kubectl: Kubectl, field: str, shown: str) -> None:
    assert shown in kubectl("explain", field)


def test_kubectl_explains_a_custom_kind(kubectl: Kubectl, crd: Callable[..., str]) -> None:
    spec = {"type": "object", "properties": {"size": {"type": "integer", "description": "Big."}}}
    group = crd(spec).split("/")[2]
    assert "Big." in kubectl("explain", f"things.{group}.spec.size")


def test_kubectl_has_unknown_fields_refused(kubectl: Kubectl) -> None:
    body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"datta":{}}'
    refused = kubectl.run("apply", "-f", "-", stdin=body)
    assert (refused.returncode, 'unknown field "datta"' in refused.stderr) == (1, True)
    assert "configmap/a created" in kubectl("apply", "--validate=false", "-f", "-", stdin=body)

"""The API groups and resources that the server announces."""

from __future__ import annotations

from collections.abc import Callable

from kubernetes import client as kube

from tests.embedded.api.raw import Raw
from tests.embedded.api.serving import dynamic

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def test_core_and_group_versions(api: Raw) -> None:
    assert api.get("/api").body["versions"] == ["v1"]
    groups = {group["name"] for group in api.get("/apis").body["groups"]}
    assert {"apps", "batch", "apiextensions.k8s.io", "coordination.k8s.io"} <= groups
    assert api.get("/apis/apps").body["preferredVersion"]["groupVersion"] == "apps/v1"


def test_aggregated_discovery_is_answered_with_the_plain_lists(api: Raw) -> None:
    accept = f"{_AGGREGATED},application/json"
    assert api("GET", "/apis", accept=accept).body["kind"] == "APIGroupList"
    assert api("GET", "/api", accept=accept).body["kind"] == "APIVersions"


def test_resources_with_their_names_and_subresources(api: Raw) -> None:
    listed = {item["name"]: item for item in api.get("/apis/apps/v1").body["resources"]}
    assert listed["deployments"]["shortNames"] == ["deploy"]
    assert listed["deployments/scale"]["kind"] == "Scale"
    assert {"get", "list", "watch", "create"} <= set(listed["deployments"]["verbs"])
    core = {item["name"] for item in api.get("/api/v1").body["resources"]}
    assert {"pods/exec", "pods/log", "serviceaccounts/token", "namespaces/finalize"} <= core


def test_version_with_and_without_the_slash(api: Raw, client: kube.ApiClient) -> None:
    assert api.get("/version").body == api.get("/version/").body
    assert kube.VersionApi(client).get_code().major == "1"


def test_openapi_describes_built_in_kinds_in_both_versions(api: Raw) -> None:
    answer = api.get("/openapi/v2")
    assert (answer.code, answer.body["swagger"]) == (200, "2.0")
    assert "@" not in answer.headers["Content-Type"]
    assert "api/v1" in api.get("/openapi/v3").body["paths"]


def test_an_unknown_group_is_plain_text(api: Raw) -> None:
    for path in ("/apis/nobody.example.com", "/apis/nobody.example.com/v1", "/nothing"):
        answer = api.get(path)
        assert (answer.code, answer.body) == (404, b"404 page not found\n")
    assert api.get("/apis/cert-manager.io/v1/certificates").body == b"404 page not found\n"


def test_an_unknown_resource_of_a_known_group_is_a_status(api: Raw) -> None:
    answer = api.get("/apis/apps/v1/nothings")
    assert (answer.code, answer.reason) == (404, "NotFound")
    assert answer.message == "the server could not find the requested resource"


def test_what_is_not_served_is_501_with_a_sentence(api: Raw, core: Callable[..., str]) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    api.post(core("pods"), {"metadata": {"name": "p"}, "spec": spec})
    answer = api.get(core("pods", "p", "proxy", "x"))
    assert (answer.code, answer.reason) == (501, "NotImplemented")
    expected = "a path below a subresource is not implemented by the embedded platform"
    assert answer.message == expected


def test_a_new_kind_is_discovered_at_once(
    api: Raw, client: kube.ApiClient, crd: Callable[..., str], namespace: str
) -> None:
    path = crd({"type": "object", "properties": {"size": {"type": "integer"}}})
    entry = api.get(path).body["resources"][0]
    assert (entry["kind"], entry["shortNames"], entry["namespaced"]) == ("Thing", ["th"], True)
    resources = dynamic(client).resources
    thing = resources.get(api_version=path.removeprefix("/apis/"), kind="Thing")
    made = thing.create(
        {"apiVersion": thing.group_version, "kind": "Thing", "metadata": {"name": "t"}},
        namespace=namespace,
    )
    assert made.metadata.name == "t"


def test_subresources_name_their_verbs_and_the_group_of_their_kind(api: Raw) -> None:
    found = {entry["name"]: entry for entry in api.get("/api/v1").body["resources"]}
    eviction = found["pods/eviction"]
    # Without group and version kubectl drain deletes Pods, and asks no budget.
    assert (eviction["kind"], eviction["group"], eviction["version"]) == (
        "Eviction",
        "policy",
        "v1",
    )
    assert eviction["verbs"] == ["create"]
    assert found["pods/ephemeralcontainers"]["verbs"] == ["get", "patch", "update"]
    assert found["serviceaccounts/token"]["group"] == "authentication.k8s.io"
    assert "deletecollection" not in found["namespaces"]["verbs"]

"""Server-side apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import client as kube

from tests.embedded.api.raw import Answer, Raw
from tests.embedded.api.serving import dynamic

Paths = Callable[..., str]


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def owners(answer: Answer) -> dict[str, Any]:
    entries = answer.body["metadata"]["managedFields"]
    return {entry["manager"]: entry["fieldsV1"] for entry in entries}


@pytest.fixture
def path(core: Paths) -> str:
    return core("configmaps", "a")


def test_applying_what_is_not_there_creates_it(api: Raw, path: str) -> None:
    answer = api.apply(path, config_map(x="1"))
    assert answer.code == 201
    assert owners(answer) == {"me": {"f:data": {"f:x": {}}}}
    assert answer.body["metadata"]["managedFields"][0]["operation"] == "Apply"


def test_applying_the_same_again_is_no_write(api: Raw, path: str) -> None:
    first = api.apply(path, config_map(x="1"))
    again = api.apply(path, config_map(x="1"), force="true")
    assert (again.code, again.body) == (200, first.body)


def test_a_field_that_is_dropped_goes(api: Raw, path: str) -> None:
    api.apply(path, config_map(x="1", y="2"))
    assert api.apply(path, config_map(x="1")).body["data"] == {"x": "1"}


def test_the_last_field_that_is_dropped_takes_its_parent_along(api: Raw, path: str) -> None:
    api.apply(path, config_map(x="1"))
    labelled = config_map() | {"metadata": {"name": "a", "labels": {"l": "m"}}}
    del labelled["data"]
    answer = api.apply(path, labelled)
    assert "data" not in answer.body


def test_a_dropped_field_that_others_own_stays(api: Raw, path: str) -> None:
    api.apply(path, config_map(x="1", y="2"), "one")
    api.apply(path, config_map(x="1"), "two")
    answer = api.apply(path, config_map(y="2"), "one")
    assert answer.body["data"] == {"x": "1", "y": "2"}
    assert owners(answer) == {"one": {"f:data": {"f:y": {}}}, "two": {"f:data": {"f:x": {}}}}


def test_fields_of_others_are_left_alone(api: Raw, path: str) -> None:
    api.apply(path, config_map(x="1"), "one")
    answer = api.apply(path, config_map(y="2"), "two")
    assert answer.body["data"] == {"x": "1", "y": "2"}


def test_a_change_of_an_owned_field_is_a_conflict(api: Raw, path: str) -> None:
    first = api.apply(path, config_map(x="1"), "one")
    answer = api.apply(path, config_map(x="2"), "two")
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message == 'Apply failed with 1 conflict: conflict with "one": .data.x'
    assert answer.body["details"]["causes"][0]["reason"] == "FieldManagerConflict"
    assert api.get(path).version == first.version


def test_force_takes_the_field_over(api: Raw, path: str) -> None:
    api.apply(path, config_map(x="1", y="1"), "one")
    answer = api.apply(path, config_map(x="2"), "two", force="true")
    assert answer.body["data"] == {"x": "2", "y": "1"}
    assert owners(answer) == {"one": {"f:data": {"f:y": {}}}, "two": {"f:data": {"f:x": {}}}}


def test_agreeing_is_no_conflict(api: Raw, path: str) -> None:
    api.apply(path, config_map(x="1"), "one")
    answer = api.apply(path, config_map(x="1"), "two")
    assert owners(answer) == {"one": {"f:data": {"f:x": {}}}, "two": {"f:data": {"f:x": {}}}}


def test_an_update_takes_fields_from_an_applier(api: Raw, path: str) -> None:
    api.apply(path, config_map(x="1"), "one")
    api.patch(path, {"data": {"x": "2"}}, fieldManager="editor")
    answer = api.apply(path, config_map(x="1"), "one")
    assert answer.code == 409
    assert 'conflict with "editor" using v1: .data.x' in answer.message


def test_a_manager_must_be_named(api: Raw, path: str) -> None:
    answer = api("PATCH", path, config_map(), kind="application/apply-patch+yaml")
    assert (answer.code, answer.body["details"]["causes"][0]["field"]) == (422, "fieldManager")
    assert "is required for apply patch" in answer.message


def test_managed_fields_cannot_be_applied(api: Raw, path: str) -> None:
    body = config_map() | {"metadata": {"name": "a", "managedFields": [{"manager": "x"}]}}
    assert api.apply(path, body).code == 400


def test_a_dry_run_creates_nothing(api: Raw, path: str) -> None:
    assert api.apply(path, config_map(x="1"), dryRun="All").code == 201
    assert api.get(path).code == 404


def test_yaml_is_read(api: Raw, path: str) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n"
    assert api.apply(path, body).body["data"] == {"x": "1"}


def service(*ports: dict[str, Any]) -> dict[str, Any]:
    meta = {"name": "s"}
    spec = {"selector": {"a": "b"}, "ports": list(ports)}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def test_items_of_a_list_are_owned_by_their_keys(api: Raw, core: Paths) -> None:
    path = core("services", "s")
    one, two = {"name": "one", "port": 1}, {"name": "two", "port": 2}
    first = api.apply(path, service(one, two))
    fields = owners(first)["me"]["f:spec"]["f:ports"]
    assert set(fields) == {'k:{"port":1,"protocol":"TCP"}', 'k:{"port":2,"protocol":"TCP"}'}
    again = api.apply(path, service(one, two))
    assert again.version == first.version
    assert again.body["spec"]["clusterIP"].startswith("10.96.")
    answer = api.apply(path, service(two))
    assert [port["name"] for port in answer.body["spec"]["ports"]] == ["two"]


def test_the_order_of_a_list_is_the_appliers(api: Raw, core: Paths) -> None:
    path = core("services", "s")
    one, two = {"name": "one", "port": 1}, {"name": "two", "port": 2}
    api.apply(path, service(one, two))
    ports = api.apply(path, service(two, one)).body["spec"]["ports"]
    assert [port["name"] for port in ports] == ["two", "one"]


def deployment(*env: str, image: str = "i:1") -> dict[str, Any]:
    variables = [{"name": name, "value": "1"} for name in env]
    container = {"name": "c", "image": image, "env": variables}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }


def test_a_workload_applied_again_keeps_its_generation(api: Raw, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/d"
    first = api.apply(path, deployment("X", "Y"))
    status = {"status": {"replicas": 1, "observedGeneration": 1}}
    reported = api.patch(f"{path}/status", status, fieldManager="controller")
    again = api.apply(path, deployment("X", "Y"))
    assert (first.body["metadata"]["generation"], again.version) == (1, reported.version)
    assert again.body["status"] == {"replicas": 1, "observedGeneration": 1}
    changed = api.apply(path, deployment("Y")).body
    env = changed["spec"]["template"]["spec"]["containers"][0]["env"]
    assert (changed["metadata"]["generation"], env) == (2, [{"name": "Y", "value": "1"}])


def test_another_managers_container_fields_survive(api: Raw, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/d"
    api.apply(path, deployment("X"))
    body = deployment()
    body["spec"] = {"template": {"spec": {"containers": [{"name": "c", "workingDir": "/w"}]}}}
    api.apply(path, body, "two")
    container = api.apply(path, deployment()).body["spec"]["template"]["spec"]["containers"][0]
    assert container["workingDir"] == "/w"
    assert not container.get("env")


_LISTS = {
    "type": "object",
    "properties": {
        "users": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "db": {"type": "string"}},
            },
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "plain": {"type": "array", "items": {"type": "string"}},
    },
}


def test_lists_of_custom_resources_merge_as_their_schema_says(
    api: Raw, crd: Callable[..., str], namespace: str
) -> None:
    base = crd(_LISTS)
    path = f"{base}/namespaces/{namespace}/things/t"

    def thing(**spec: Any) -> dict[str, Any]:
        version = base.removeprefix("/apis/")
        return {"apiVersion": version, "kind": "Thing", "metadata": {"name": "t"}, "spec": spec}

    api.apply(path, thing(users=[{"name": "a", "db": "x"}], tags=["1"], plain=["p"]), "one")
    body = api.apply(path, thing(users=[{"name": "b"}], tags=["2"]), "two").body
    assert body["spec"]["users"] == [{"name": "a", "db": "x"}, {"name": "b"}]
    assert body["spec"]["tags"] == ["1", "2"]
    assert api.apply(path, thing(plain=["q"]), "two").code == 409
    body = api.apply(path, thing(plain=["p"]), "one").body
    assert body["spec"] == {"users": [{"name": "b"}], "tags": ["2"], "plain": ["p"]}


def test_status_is_applied_apart(api: Raw, crd: Callable[..., str], namespace: str) -> None:
    base = crd({"type": "object", "properties": {"n": {"type": "integer"}}})
    path = f"{base}/namespaces/{namespace}/things/t"
    head = {"apiVersion": base.removeprefix("/apis/"), "kind": "Thing", "metadata": {"name": "t"}}
    body = api.apply(path, head | {"spec": {"n": 1}, "status": {"state": "x"}}).body
    assert "status" not in body
    shown = api.apply(f"{path}/status", head | {"spec": {"n": 2}, "status": {"state": "y"}})
    assert (shown.body["spec"], shown.body["status"]) == ({"n": 1}, {"state": "y"})
    assert shown.body["metadata"]["managedFields"][1]["subresource"] == "status"
    assert api.apply(path, head | {"spec": {"n": 1}}).version == shown.version


def test_the_official_client_applies(client: kube.ApiClient, namespace: str) -> None:
    maps = dynamic(client).resources.get(api_version="v1", kind="ConfigMap")
    made = maps.server_side_apply(config_map(x="1"), namespace=namespace, field_manager="py")
    assert made.metadata.managedFields[0].manager == "py"

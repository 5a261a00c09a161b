"""Objects one by one: what the server adds, keeps and refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import client as kube
from kubernetes import utils

from tests.embedded.api.raw import Raw

Paths = Callable[..., str]


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


def test_a_new_object_gets_its_stamps(api: Raw, core: Paths) -> None:
    answer = api.post(core("configmaps"), config_map("a", x="1"))
    meta = answer.body["metadata"]
    assert answer.code == 201
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", meta["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", meta["creationTimestamp"])
    assert int(meta["resourceVersion"]) > 0
    assert (answer.body["apiVersion"], answer.body["kind"]) == ("v1", "ConfigMap")


def test_stamps_are_not_the_writers_to_choose(api: Raw, core: Paths) -> None:
    meta = {"name": "a", "uid": "mine", "generation": 7, "creationTimestamp": None}
    made = api.post(core("configmaps"), {"metadata": meta | {"selfLink": "/x"}}).body["metadata"]
    assert made["uid"] != "mine"
    assert {"selfLink", "generation"}.isdisjoint(made)


def test_a_missing_object_is_404_with_its_name(api: Raw, core: Paths) -> None:
    answer = api.get(core("configmaps", "none"))
    assert (answer.code, answer.reason) == (404, "NotFound")
    assert answer.message == 'configmaps "none" not found'
    assert answer.body["details"] == {"name": "none", "kind": "configmaps"}


def test_creating_twice_is_409(api: Raw, core: Paths) -> None:
    api.post(core("configmaps"), config_map("a"))
    answer = api.post(core("configmaps"), config_map("a"))
    assert (answer.code, answer.reason) == (409, "AlreadyExists")


def test_generated_names_differ(api: Raw, core: Paths) -> None:
    body = {"metadata": {"generateName": "job-"}}
    names = {api.post(core("configmaps"), body).body["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(re.fullmatch(r"job-[a-z0-9]{5}", name) for name in names)


@pytest.mark.parametrize("name", ["", "Upper", "under_score", "-dash", "a\n", "a" * 254])
def test_bad_names_are_422(api: Raw, core: Paths, name: str) -> None:
    answer = api.post(core("configmaps"), config_map(name))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.body["details"]["causes"][0]["field"] == "metadata.name"


@pytest.mark.parametrize(
    ("resource", "name"), [("secrets", "a\n"), ("services", "a\n"), ("configmaps", "a.b\n")]
)
def test_a_name_ends_where_its_text_does(api: Raw, core: Paths, resource: str, name: str) -> None:
    answer = api.post(core(resource), {"metadata": {"name": name}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.body["details"]["causes"][0]["field"] == "metadata.name"


@pytest.mark.parametrize("name", ["a\n", "Upper", "a.b"])
def test_bad_names_of_namespaces_are_422(api: Raw, name: str) -> None:
    answer = api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.body["details"]["causes"][0]["field"] == "metadata.name"


@pytest.mark.parametrize(
    ("field", "key", "value"),
    [
        ("labels", "ok", "not ok!"),
        ("labels", "ok", "ok\n"),
        ("labels", "ok", "\n"),
        ("labels", "ok\n", "ok"),
        ("labels", "not ok", "ok"),
        ("annotations", "ok\n", "ok"),
    ],
)
def test_bad_labels_are_422(api: Raw, core: Paths, field: str, key: str, value: str) -> None:
    body = {"metadata": {"name": "a", field: {key: value}}}
    answer = api.post(core("configmaps"), body)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.body["details"]["causes"][0]["field"] == f"metadata.{field}"


@pytest.mark.parametrize("resource", ["secrets", "configmaps"])
def test_bad_keys_of_data_are_422(api: Raw, core: Paths, resource: str) -> None:
    answer = api.post(core(resource), {"metadata": {"name": "a"}, "data": {"a\n": "eA=="}})
    assert (answer.code, answer.reason) == (422, "Invalid")


def test_a_namespace_that_is_not_there_is_404(api: Raw) -> None:
    answer = api.post("/api/v1/namespaces/nowhere/configmaps", config_map("a"))
    assert (answer.code, answer.message) == (404, 'namespaces "nowhere" not found')


def test_another_namespace_in_the_body_is_400(api: Raw, core: Paths) -> None:
    body = {"metadata": {"name": "a", "namespace": "other"}}
    assert api.post(core("configmaps"), body).code == 400


def test_another_kind_in_the_body_is_400(api: Raw, core: Paths) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    assert api.post(core("configmaps"), body).code == 400


def test_a_replacement_with_an_old_version_is_409(api: Raw, core: Paths) -> None:
    first = api.post(core("configmaps"), config_map("a", x="1")).body
    api.put(core("configmaps", "a"), first | {"data": {"x": "2"}})
    answer = api.put(core("configmaps", "a"), first | {"data": {"x": "3"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_a_replacement_without_a_version_is_unconditional(api: Raw, core: Paths) -> None:
    first = api.post(core("configmaps"), config_map("a", x="1"))
    answer = api.put(core("configmaps", "a"), config_map("a", x="2"))
    assert answer.body["data"] == {"x": "2"}
    assert int(answer.version) > int(first.version)


@pytest.mark.parametrize(
    ("group", "plural"), [("coordination.k8s.io", "leases"), ("policy", "poddisruptionbudgets")]
)
def test_some_kinds_are_replaced_by_version_only(
    api: Raw, namespace: str, group: str, plural: str
) -> None:
    path = f"/apis/{group}/v1/namespaces/{namespace}/{plural}"
    made = api.post(path, {"metadata": {"name": "a"}}).body
    refused = api.put(f"{path}/a", {"metadata": {"name": "a"}})
    assert (refused.code, refused.body["details"]["kind"]) == (422, plural)
    assert api.put(f"{path}/a", made).code == 200


def test_a_replacement_of_another_uid_is_409(api: Raw, core: Paths) -> None:
    body = api.post(core("configmaps"), config_map("a")).body
    body["metadata"] |= {"uid": "other", "resourceVersion": ""}
    assert api.put(core("configmaps", "a"), body).code == 409


def test_replacing_with_the_same_is_no_write(api: Raw, core: Paths) -> None:
    first = api.post(core("configmaps"), config_map("a", x="1"))
    assert api.put(core("configmaps", "a"), first.body).version == first.version
    assert api.put(core("configmaps", "a"), config_map("a", x="1")).version == first.version


def test_status_and_specification_are_written_apart(api: Raw, core: Paths) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    api.post(core("pods"), {"metadata": {"name": "p"}, "spec": spec, "status": {"phase": "Failed"}})
    pod = api.get(core("pods", "p")).body
    assert pod["status"]["phase"] == "Pending"
    pod["status"]["phase"] = "Running"
    pod["metadata"]["labels"] = {"a": "b"}
    assert api.put(core("pods", "p"), pod).body["status"]["phase"] == "Pending"
    pod["metadata"]["resourceVersion"] = ""
    pod["metadata"]["labels"] = {"a": "c"}
    shown = api.put(core("pods", "p", "status"), pod).body
    assert (shown["status"]["phase"], shown["metadata"]["labels"]) == ("Running", {"a": "b"})


def test_generation_counts_changes_of_the_specification_only(api: Raw, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [_C]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    first = api.post(path, {"metadata": {"name": "d"}, "spec": spec}).body
    assert first["metadata"]["generation"] == 1
    labelled = api.patch(f"{path}/d", {"metadata": {"labels": {"x": "y"}}}).body
    reported = api.patch(f"{path}/d/status", {"status": {"replicas": 3}}).body
    scaled = api.patch(f"{path}/d", {"spec": {"replicas": 2}}).body
    assert [obj["metadata"]["generation"] for obj in (labelled, reported, scaled)] == [1, 1, 2]


_C = {"name": "c", "image": "i"}


def test_a_method_that_makes_no_sense_is_405(api: Raw, core: Paths) -> None:
    assert api.put(core("configmaps"), {}).code == 405
    assert api.post(core("configmaps", "a"), {}).code == 405


def test_a_body_of_an_unknown_type_is_415(api: Raw, core: Paths) -> None:
    answer = api("POST", core("configmaps"), b"<a/>", kind="application/xml")
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b""])
def test_a_body_that_is_no_object_is_400(api: Raw, core: Paths, body: bytes) -> None:
    assert api("POST", core("configmaps"), body).code == 400


def test_a_value_of_the_wrong_type_is_400(api: Raw, core: Paths) -> None:
    answer = api.post(core("configmaps"), {"metadata": {"name": "a"}, "data": {"x": 1}})
    assert answer.code == 400
    assert "data.x" in answer.message


def test_yaml_is_read_too(api: Raw, core: Paths) -> None:
    body = b"metadata: {name: a}\ndata: {day: '2026-01-01'}\n"
    answer = api("POST", core("configmaps"), body, kind="application/yaml")
    assert answer.body["data"] == {"day": "2026-01-01"}


def test_unknown_fields_are_refused_warned_of_or_ignored(api: Raw, core: Paths) -> None:
    body = config_map("a") | {"bogus": 1}
    strict = api.post(core("configmaps"), body, fieldValidation="Strict")
    assert strict.code == 400
    assert strict.message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'unknown field "bogus"'
    )
    warned = api.post(core("configmaps"), body)
    assert warned.headers["Warning"] == '299 - "unknown field \\"bogus\\""'
    ignored = api.put(core("configmaps", "a"), body, fieldValidation="Ignore")
    assert "Warning" not in ignored.headers
    assert "bogus" not in ignored.body


def test_dry_run_stores_nothing(api: Raw, core: Paths) -> None:
    made = api.post(core("configmaps"), config_map("a"), dryRun="All")
    assert (made.code, api.get(core("configmaps", "a")).code) == (201, 404)
    first = api.post(core("configmaps"), config_map("a", x="1"))
    shown = api.patch(core("configmaps", "a"), {"data": {"x": "2"}}, dryRun="All")
    assert shown.body["data"] == {"x": "2"}
    api.delete(core("configmaps", "a"), dryRun="All")
    api.delete(core("configmaps", "a"), {"dryRun": ["All"]})
    assert api.get(core("configmaps", "a")).version == first.version


def test_writers_are_recorded_as_owners(api: Raw, core: Paths) -> None:
    api.post(core("configmaps"), config_map("a", x="1"), fieldManager="maker")
    body = api.patch(core("configmaps", "a"), {"data": {"y": "2"}}, fieldManager="editor").body
    owners = {entry["manager"]: entry for entry in body["metadata"]["managedFields"]}
    assert owners["maker"]["fieldsV1"] == {"f:data": {".": {}, "f:x": {}}}
    assert owners["editor"]["fieldsV1"] == {"f:data": {"f:y": {}}}
    assert owners["editor"]["operation"] == "Update"


def test_the_typed_client_reads_what_it_wrote(client: kube.ApiClient, namespace: str) -> None:
    secrets = kube.CoreV1Api(client)
    secrets.create_namespaced_secret(
        namespace, kube.V1Secret(metadata=kube.V1ObjectMeta(name="s"), string_data={"a": "b"})
    )
    assert secrets.read_namespaced_secret("s", namespace).data == {"a": "Yg=="}
    with pytest.raises(kube.ApiException) as refused:
        secrets.read_namespaced_secret("t", namespace)
    assert refused.value.status == 404


def test_create_from_yaml(client: kube.ApiClient, namespace: str) -> None:
    role = {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    objects = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
        | {"metadata": {"name": "robot"}}
        | role,
    ]
    create: Any = utils.create_from_yaml
    create(client, yaml_objects=objects, namespace=namespace)
    found = kube.RbacAuthorizationV1Api(client).read_namespaced_role("robot", namespace)
    assert [rule.verbs for rule in found.rules or []] == [["get"]]


def test_a_body_beyond_the_limit_is_413(api: Raw, core: Paths) -> None:
    answer = api.post(core("configmaps"), config_map("a", x="y" * 4_000_000))
    assert (answer.code, answer.reason) == (413, "RequestEntityTooLarge")


def test_quantities_are_kept_in_their_canonical_spelling(api: Raw, core: Paths) -> None:
    limits = {"cpu": "1000m", "memory": "1024Mi", "ephemeral-storage": "0.1Gi"}
    container = {"name": "c", "image": "i", "resources": {"limits": limits}}
    made = api.post(core("pods"), {"metadata": {"name": "p"}, "spec": {"containers": [container]}})
    assert made.body["spec"]["containers"][0]["resources"]["limits"] == {
        "cpu": "1",
        "memory": "1Gi",
        "ephemeral-storage": "107374182400m",
    }
    limits["cpu"] = "much"
    assert (
        api.post(
            core("pods"), {"metadata": {"name": "q"}, "spec": {"containers": [container]}}
        ).code
        == 400
    )


@pytest.mark.parametrize(
    ("query", "field", "cause"),
    [
        ({"fieldValidation": "Sometimes"}, "fieldValidation", "FieldValueNotSupported"),
        ({"dryRun": "x"}, "dryRun", "FieldValueNotSupported"),
        ({"fieldManager": "a\nb"}, "fieldManager", "FieldValueInvalid"),
        ({"fieldManager": "a" * 129}, "fieldManager", "FieldValueTooLong"),
    ],
)
def test_options_that_are_none_are_422(
    api: Raw, core: Paths, query: dict[str, str], field: str, cause: str
) -> None:
    answer = api.post(core("configmaps"), config_map("a"), **query)
    (found,) = answer.body["details"]["causes"]
    assert (answer.code, found["field"], found["reason"]) == (422, field, cause)
    assert api.get(core("configmaps", "a")).code == 404


def test_members_that_stand_there_twice_are_told(api: Raw, core: Paths) -> None:
    body = b'{"metadata":{"name":"a"},"data":{"k":"1","k":"2"},"data":{"k":"3"}}'
    strict = api("POST", core("configmaps"), body, fieldValidation="Strict")
    assert strict.code == 400
    assert (
        'strict decoding error: duplicate field "data.k", duplicate field "data"' in strict.message
    )
    warned = api("POST", core("configmaps"), body)
    assert (warned.code, warned.body["data"]) == (201, {"k": "3"})
    assert 'duplicate field \\"data\\"' in warned.headers["Warning"]


def test_accept_decides_the_form_of_the_answer(api: Raw, core: Paths) -> None:
    api.post(core("configmaps"), config_map("a", k="v"))
    path = core("configmaps", "a")
    assert b"kind: ConfigMap\n" in api("GET", path, accept="application/yaml").body
    refused = api("GET", path, accept="application/x-nothing")
    assert (refused.code, refused.reason) == (406, "NotAcceptable")
    assert api("GET", path, accept="text/html, */*;q=0.1").code == 200


def test_a_stateful_sets_strategy_is_completed_only_where_it_was_begun(
    api: Raw, namespace: str
) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    spec = {"selector": {"matchLabels": {"a": "b"}}, "serviceName": "s", "template": template}
    for given, made in (
        (None, {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
        ({"type": "RollingUpdate"}, {"type": "RollingUpdate"}),
        ({"rollingUpdate": {}}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
        ({"type": "OnDelete"}, {"type": "OnDelete"}),
    ):
        body = {
            "metadata": {"generateName": "s-"},
            "spec": spec | ({"updateStrategy": given} if given else {}),
        }
        assert api.post(path, body).body["spec"]["updateStrategy"] == made


def test_endpoints_are_told_to_be_deprecated(api: Raw, core: Paths) -> None:
    warning = api.post(core("endpoints"), {"metadata": {"name": "e"}}).headers["Warning"]
    assert warning == (
        '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
    )
    assert api.get(core("endpoints")).headers["Warning"] == warning
    assert "Warning" not in api.get(core("configmaps")).headers

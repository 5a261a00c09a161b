"""Custom resources: what their schema defaults, prunes and refuses; the life of a definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.api.definitions import CRDS, definition
from tests.embedded.api.raw import TABLE, Raw

Define = Callable[..., str]
_SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 9},
        "mode": {"type": "string", "enum": ["fast", "safe"], "default": "safe"},
        "name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 5},
        "price": {"type": "string", "pattern": r"^[0-9]+(\$|[$])$"},
        "port": {"x-kubernetes-int-or-string": True},
        "tls": {
            "type": "object",
            "default": {},
            "properties": {"only": {"type": "boolean", "default": False}},
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "note": {"type": "string", "nullable": True},
        "items": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
        "when": {"type": "string", "format": "date-time"},
    },
}


@pytest.fixture
def things(crd: Define, namespace: str) -> str:
    return f"{crd(_SPEC)}/namespaces/{namespace}/things"


def thing(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "t"}, "spec": spec}


def test_defaults_reach_into_defaulted_objects(api: Raw, things: str) -> None:
    spec = api.post(things, thing(size=1)).body["spec"]
    assert spec == {"size": 1, "mode": "safe", "tls": {"only": False}}


def test_unknown_fields_are_pruned_with_a_warning(api: Raw, things: str) -> None:
    answer = api.post(things, thing(size=1, bogus={"x": 1}, tls={"what": 1}))
    assert answer.body["spec"] == {"size": 1, "mode": "safe", "tls": {"only": False}}
    assert answer.headers.getlist("Warning") == [
        '299 - "unknown field \\"spec.bogus\\""',
        '299 - "unknown field \\"spec.tls.what\\""',
    ]


def test_unknown_fields_are_400_when_strict(api: Raw, things: str) -> None:
    answer = api.post(things, thing(size=1, customTLSSecret={}), fieldValidation="Strict")
    assert answer.code == 400
    assert answer.message == (
        'Thing in version "v1" cannot be handled as a Thing: strict decoding error: '
        'unknown field "spec.customTLSSecret"'
    )


def test_what_is_free_is_kept(api: Raw, things: str) -> None:
    body = thing(size=1, free={"a": [1, None]}, labels={"x": "y"}, port="http")
    spec = api.post(things, body).body["spec"]
    assert (spec["free"], spec["labels"], spec["port"]) == ({"a": [1, None]}, {"x": "y"}, "http")


def test_nulls_go_unless_they_are_allowed(api: Raw, things: str) -> None:
    spec = api.post(things, thing(size=1, mode=None, name=None, note=None)).body["spec"]
    assert spec == {"size": 1, "mode": "safe", "note": None, "tls": {"only": False}}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "spec.size: Required value"),
        ({"size": "1"}, 'spec.size in body must be of type integer: "string"'),
        ({"size": True}, 'spec.size in body must be of type integer: "boolean"'),
        ({"size": 0}, "spec.size in body should be greater than or equal to 1"),
        ({"size": 10}, "spec.size in body should be less than or equal to 9"),
        ({"size": 1, "mode": "x"}, 'Unsupported value: "x": supported values: "fast", "safe"'),
        ({"size": 1, "name": "UP"}, "spec.name in body should match '^[a-z]+$'"),
        ({"size": 1, "name": "up\n"}, "spec.name in body should match '^[a-z]+$'"),
        ({"size": 1, "price": "5$\n"}, r"spec.price in body should match '^[0-9]+(\$|[$])$'"),
        ({"size": 1, "name": "a"}, "spec.name in body should be at least 2 chars long"),
        ({"size": 1, "name": "abcdef"}, "spec.name: Too long: may not be more than 5 bytes"),
        ({"size": 1, "port": 1.5}, "spec.port in body must be of type integer,string"),
        ({"size": 1, "labels": {"a": 1}}, "spec.labels.a in body must be of type string"),
        ({"size": 1, "items": ["1", "2", "3"]}, "spec.items: Too many: 3"),
        ({"size": 1, "items": [None]}, "spec.items[0] in body must be of type string"),
        ({"size": 1, "when": "noon"}, "spec.when in body must be of type date-time"),
    ],
)
def test_what_breaks_the_schema_is_422(
    api: Raw, things: str, wrong: dict[str, Any], message: str
) -> None:
    answer = api.post(things, thing(**wrong))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


def test_a_dollar_may_stand_for_itself_in_a_pattern(api: Raw, things: str) -> None:
    assert api.post(things, thing(size=1, price="5$")).code == 201


def test_all_errors_are_told_at_once(api: Raw, things: str) -> None:
    causes = api.post(things, thing(mode="x")).body["details"]["causes"]
    assert {cause["field"] for cause in causes} == {"spec.size", "spec.mode"}


@pytest.mark.parametrize(
    ("combined", "value", "code"),
    [
        ({"anyOf": [{"minimum": 5}, {"maximum": 1}]}, 3, 422),
        ({"anyOf": [{"minimum": 5}, {"maximum": 1}]}, 7, 201),
        ({"oneOf": [{"minimum": 1}, {"minimum": 5}]}, 7, 422),
        ({"allOf": [{"minimum": 1}, {"maximum": 5}]}, 7, 422),
        ({"not": {"enum": [7]}}, 7, 422),
    ],
)
def test_combined_schemas(
    api: Raw, crd: Define, namespace: str, combined: Any, value: int, code: int
) -> None:
    path = crd({"type": "object", "properties": {"n": {"type": "integer", **combined}}})
    assert api.post(f"{path}/namespaces/{namespace}/things", thing(n=value)).code == code


@pytest.mark.parametrize("version", [None, "", "0"])
@pytest.mark.parametrize("part", ["", "/status"])
def test_a_replacement_without_a_version_is_422(
    api: Raw, things: str, version: str | None, part: str
) -> None:
    made = api.post(things, thing(size=1)).body
    meta = {"name": "t"} | ({} if version is None else {"resourceVersion": version})
    refused = api.put(f"{things}/t{part}", made | {"metadata": meta})
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.message == (
        f'things.{things.split("/")[2]} "t" is invalid: metadata.resourceVersion: '
        "Invalid value: 0x0: must be specified for an update"
    )
    assert api.put(f"{things}/t{part}", made).code == 200


def test_status_is_a_subresource(api: Raw, things: str) -> None:
    made = api.post(things, thing(size=1) | {"status": {"state": "x"}}).body
    assert "status" not in made
    shown = api.patch(f"{things}/t/status", {"status": {"state": "ready"}, "spec": {"size": 2}})
    assert (shown.body["spec"]["size"], shown.body["status"]) == (1, {"state": "ready"})
    changed = api.patch(f"{things}/t", {"status": {"state": "lost"}, "spec": {"size": 2}}).body
    assert (changed["spec"]["size"], changed["status"]) == (2, {"state": "ready"})
    assert changed["metadata"]["generation"] == 2


def test_a_kind_without_status_subresource_has_one_part(
    api: Raw, crd: Define, namespace: str
) -> None:
    path = f"{crd({'type': 'object'}, subresources={})}/namespaces/{namespace}/things"
    made = api.post(path, {"metadata": {"name": "t"}, "status": {"x": 1}}).body
    assert made["status"] == {"x": 1}
    assert api.get(f"{path}/t/status").code == 404
    assert api.patch(f"{path}/t", {"status": {"x": 2}}).body["metadata"]["generation"] == 2


def test_printer_columns(api: Raw, crd: Define, namespace: str) -> None:
    ready = '.status.conditions[?(@.type=="Ready")].status'
    columns = [
        {"name": "State", "type": "string", "jsonPath": ".status.state"},
        {"name": "Ready", "type": "string", "jsonPath": ready},
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    spec = {"type": "object", "properties": {"size": {"type": "integer"}}}
    path = f"{crd(spec, additionalPrinterColumns=columns)}/namespaces/{namespace}/things"
    api.post(path, thing(size=3))
    conditions = [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]
    api.patch(f"{path}/t/status", {"status": {"state": "up", "conditions": conditions}})
    table = api("GET", path, accept=TABLE).body
    heads = [(head["name"], head["priority"]) for head in table["columnDefinitions"]]
    assert heads == [("Name", 0), ("State", 0), ("Ready", 0), ("Size", 1), ("Age", 0)]
    *cells, age = table["rows"][0]["cells"]
    assert cells == ["t", "up", "True", 3]
    assert age.endswith("s")


def test_a_definition_is_established_in_its_own_answer(api: Raw, crd: Define) -> None:
    group = crd({"type": "object"}).split("/")[2]
    status = api.get(f"{CRDS}/things.{group}").body["status"]
    assert {item["type"]: item["status"] for item in status["conditions"]} == {
        "Established": "True",
        "NamesAccepted": "True",
    }
    assert (status["acceptedNames"]["kind"], status["storedVersions"]) == ("Thing", ["v1"])


def test_a_dry_run_of_a_definition_serves_nothing(api: Raw) -> None:
    body = definition("dry.example.com", {"type": "object"})
    assert api.post(CRDS, body, dryRun="All").code == 201
    assert api.get("/apis/dry.example.com/v1").code == 404


def test_a_changed_schema_counts_at_once(api: Raw, crd: Define, namespace: str) -> None:
    base = crd({"type": "object"})
    path = f"{base}/namespaces/{namespace}/things"
    assert "spec" not in api.post(path, thing(n=1)).body["spec"]
    name = f"{CRDS}/things.{base.split('/')[2]}"
    body = api.get(name).body
    schema = body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"] = {"n": {"type": "integer"}}
    assert api.put(name, body).code == 200
    assert api.patch(f"{path}/t", {"spec": {"n": 2}}).body["spec"] == {"n": 2}


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"properties": {"a": {}}, "type": "object"}, "must not be empty for specified object"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, 'Unsupported value: "text"'),
        ({"type": "string", "pattern": "("}, "pattern"),
    ],
)
def test_a_schema_that_is_not_structural_is_422(api: Raw, schema: Any, message: str) -> None:
    answer = api.post(CRDS, definition("bad.example.com", schema))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


def test_a_definition_goes_after_its_objects(api: Raw, crd: Define, namespace: str) -> None:
    base = crd({"type": "object"})
    path, name = f"{base}/namespaces/{namespace}/things", f"{CRDS}/things.{base.split('/')[2]}"
    api.post(path, {"metadata": {"name": "held", "finalizers": ["example.com/f"]}})
    api.post(path, {"metadata": {"name": "free"}})
    marked = api.delete(name).body
    finalizer = "customresourcecleanup.apiextensions.k8s.io"
    assert marked["metadata"]["finalizers"] == [finalizer]
    assert marked["status"]["conditions"][-1]["type"] == "Terminating"
    assert api.get(f"{path}/free").code == 404
    assert api.get(f"{path}/held").body["metadata"]["deletionTimestamp"]
    refused = api.post(path, {"metadata": {"name": "late"}})
    assert refused.code == 403
    assert "custom resource definition is terminating" in refused.message
    api.patch(f"{path}/held", {"metadata": {"finalizers": None}})
    assert api.get(name).code == 404
    assert api.get(path).body == b"404 page not found\n"


def test_two_versions_are_views_of_one_object(api: Raw, crd: Define, namespace: str) -> None:
    base = crd({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    name = f"{CRDS}/things.{base.split('/')[2]}"
    body = api.get(name).body
    body["spec"]["versions"].append({**body["spec"]["versions"][0], "name": "v2", "storage": False})
    assert api.put(name, body).code == 200
    old = f"{base}/namespaces/{namespace}/things"
    new = old.replace("/v1/", "/v2/")
    api.post(new, thing(a=1))
    assert api.get(f"{old}/t").body["apiVersion"].endswith("/v1")
    shown = api.get(f"{new}/t")
    assert (shown.body["apiVersion"].split("/")[1], shown.body["spec"]) == ("v2", {"a": 1})
    assert api.patch(f"{old}/t", {"spec": {"a": 1}}).version == shown.version
    assert [group["version"] for group in api.get(base.rsplit("/", 1)[0]).body["versions"]] == [
        "v1",
        "v2",
    ]

"""Rules in CEL of custom resources."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.api.definitions import CRDS, definition
from tests.embedded.api.raw import Answer, Raw

Define = Callable[..., str]
Json = dict[str, Any]
_INT, _TEXT = {"type": "integer"}, {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}


def _ruled(rule: str, properties: Json | None = None, **more: Any) -> Json:
    given = {"rule": rule, **more}
    return {
        "type": "object",
        "properties": properties or {},
        "x-kubernetes-validations": [given],
    }


@pytest.fixture
def things(api: Raw, crd: Define, namespace: str) -> Callable[[Json], str]:
    """Defines a kind; returns the path of its objects."""
    return lambda spec: f"{crd(spec)}/namespaces/{namespace}/things"


def _made(api: Raw, path: str, spec: Json, name: str = "a") -> Answer:
    return api.post(path, {"metadata": {"name": name}, "spec": spec})


def test_a_false_rule_is_422_with_its_message(api: Raw, things: Callable[[Json], str]) -> None:
    spec = _ruled("self.low <= self.high", {"low": _INT, "high": _INT}, message="low is too high")
    path = things(spec)
    answer = _made(api, path, {"low": 5, "high": 2})
    assert (answer.code, answer.reason) == (422, "Invalid")
    cause = answer.body["details"]["causes"][0]
    assert (cause["field"], cause["reason"]) == ("spec", "FieldValueInvalid")
    assert cause["message"] == 'Invalid value: "object": low is too high'
    assert _made(api, path, {"low": 1, "high": 2}).code == 201
    assert api.patch(f"{path}/a", {"spec": {"low": 3}}).code == 422
    assert api.patch(f"{path}/a", {"spec": {"low": 2}}).code == 200


@pytest.mark.parametrize(
    ("more", "field", "reason", "message"),
    [
        ({}, "spec", "FieldValueInvalid", "failed rule: self.n > 1"),
        ({"messageExpression": "'got ' + string(self.n)"}, "spec", "FieldValueInvalid", "got 0"),
        (
            {"message": "no", "fieldPath": ".n", "reason": "FieldValueForbidden"},
            *("spec.n", "FieldValueForbidden", "no"),
        ),
    ],
)
def test_a_rule_says_what_is_wrong_and_where(
    api: Raw, things: Callable[[Json], str], more: Json, field: str, reason: str, message: str
) -> None:
    answer = _made(api, things(_ruled("self.n > 1", {"n": _INT}, **more)), {"n": 0})
    cause = answer.body["details"]["causes"][0]
    assert (cause["field"], cause["reason"]) == (field, reason)
    assert cause["message"].endswith(f": {message}")


@pytest.mark.parametrize(
    ("rule", "properties", "good", "bad"),
    [
        ("!has(self.a) || has(self.b)", {"a": _INT, "b": _INT}, {}, {"a": 1}),
        ("self.l.all(x, x.startsWith('a'))", {"l": _TEXTS}, {"l": ["ab"]}, {"l": ["b"]}),
        ("self.l.exists_one(x, x == 'a')", {"l": _TEXTS}, {"l": ["a"]}, {"l": ["a", "a"]}),
        ("self.l.isSorted()", {"l": _TEXTS}, {"l": ["a", "b"]}, {"l": ["b", "a"]}),
        ("self.l.join(',').size() < 4", {"l": _TEXTS}, {"l": ["a"]}, {"l": ["aaaa"]}),
        ("self.n in [1, 2]", {"n": _INT}, {"n": 2}, {"n": 3}),
        ("self.r > 1", {"r": {"type": "number"}}, {"r": 2}, {"r": 1}),
        ("self.s.matches('^a+$')", {"s": _TEXT}, {"s": "aa"}, {"s": "b"}),
        ("self.s.lowerAscii() == self.s", {"s": _TEXT}, {"s": "a"}, {"s": "A"}),
        ("isURL(self.s)", {"s": _TEXT}, {"s": "http://a"}, {"s": "a b"}),
        ("self.a__dash__b + self.__if__ == 3", {"a-b": _INT, "if": _INT}, {"a-b": 1, "if": 2}, {}),
        (
            "self.d < duration('1h')",
            {"d": {"type": "string", "format": "duration"}},
            {"d": "5m"},
            {"d": "2h"},
        ),
        (
            "self.m['x-y'] == 1 && self.m.all(k, k.size() == 3)",
            {"m": {"type": "object", "additionalProperties": _INT}},
            {"m": {"x-y": 1}},
            {"m": {"x-y": 1, "z": 2}},
        ),
    ],
)
def test_what_rules_are_written_with(
    api: Raw, things: Callable[[Json], str], rule: str, properties: Json, good: Json, bad: Json
) -> None:
    path = things(_ruled(rule, properties))
    assert _made(api, path, good, "good").code == 201
    assert _made(api, path, bad, "bad").code == 422


def test_rules_stand_at_any_depth(api: Raw, things: Callable[[Json], str]) -> None:
    item = {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 1"}]}
    path = things(
        {
            "type": "object",
            "properties": {
                "l": {"type": "array", "items": item},
                "m": {"type": "object", "additionalProperties": item},
            },
        }
    )
    answer = _made(api, path, {"l": [2, 1], "m": {"a": 0}})
    fields = [cause["field"] for cause in answer.body["details"]["causes"]]
    assert fields == ["spec.l[1]", "spec.m.a"]


def test_a_transition_looks_at_updates_alone(api: Raw, things: Callable[[Json], str]) -> None:
    path = things(_ruled("self.n >= oldSelf.n", {"n": _INT, "o": _INT}, message="n shrinks"))
    assert _made(api, path, {"n": 3}).code == 201
    assert api.patch(f"{path}/a", {"spec": {"n": 2}}).message.endswith("n shrinks")
    assert api.patch(f"{path}/a", {"spec": {"n": 4}}).code == 200


def test_items_of_a_map_list_are_compared_by_their_keys(
    api: Raw, things: Callable[[Json], str]
) -> None:
    element = _ruled("self.v == oldSelf.v", {"k": _TEXT, "v": _INT}) | {"required": ["k"]}
    items = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        "items": element,
    }
    path = things({"type": "object", "properties": {"l": items}})
    _made(api, path, {"l": [{"k": "a", "v": 1}]})
    added = {"spec": {"l": [{"k": "b", "v": 2}, {"k": "a", "v": 1}]}}
    assert api.patch(f"{path}/a", added).code == 200
    assert api.patch(f"{path}/a", {"spec": {"l": [{"k": "a", "v": 2}]}}).code == 422


def test_what_was_there_before_a_rule_may_stay(api: Raw, things: Callable[[Json], str]) -> None:
    path = things({"type": "object", "properties": {"n": _INT}})
    _made(api, path, {"n": 1})
    name = f"{CRDS}/things.{path.split('/')[2]}"
    change = [
        {
            "op": "add",
            "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec"
            "/x-kubernetes-validations",
            "value": [{"rule": "self.n > 1"}],
        }
    ]
    assert api.patch(name, change, kind="application/json-patch+json").code == 200
    assert api.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}}).code == 200
    assert api.patch(f"{path}/a", {"spec": {"n": 0}}).code == 422


def test_an_evaluation_that_fails_is_422_with_the_reason(
    api: Raw, things: Callable[[Json], str]
) -> None:
    answer = _made(api, things(_ruled("1 / self.n > 0", {"n": _INT}, message="m")), {"n": 0})
    assert answer.code == 422
    assert "divide by zero evaluating rule: m" in answer.message


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("semver(self.q).isGreaterThan(semver('1.0.0'))", "it calls semver"),
        ("self.l.all(i, x, i < 1)", "it calls all with 3 arguments"),
        ("self.?a.hasValue()", "it cannot be read"),
    ],
)
def test_what_cannot_be_evaluated_is_said_when_the_definition_is_applied(
    api: Raw, crd: Define, namespace: str, rule: str, why: str
) -> None:
    body = definition("warned.example.com", _ruled(rule, {"q": _TEXT}))
    answer = api.post(CRDS, body, dryRun="All")
    assert answer.code == 201
    assert "is not evaluated here" in answer.headers["Warning"]
    assert why in answer.headers["Warning"]
    path = crd(_ruled(rule, {"q": _TEXT}))
    assert _made(api, f"{path}/namespaces/{namespace}/things", {"q": "0"}).code == 201


def test_it_is_said_again_when_the_definition_changes(api: Raw, crd: Define) -> None:
    name = f"{CRDS}/things.{crd({'type': 'object'}).split('/')[2]}"
    group = name.removeprefix(f"{CRDS}/things.")
    body = definition(group, _ruled("semver('1.0.0') == semver('1.0.0')"))
    answers = [api.apply(name, body, force="true"), api.apply(name, body, force="true")]
    assert [answer.code for answer in answers] == [200, 200]
    assert ["Warning" in answer.headers for answer in answers] == [True, False]


def test_the_library_is_imported_where_there_are_rules_alone() -> None:
    text = (
        "import sys; from embedded.api.custom import CustomRules; "
        "CustomRules({'type': 'object'}); assert 'celpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", text], check=True)

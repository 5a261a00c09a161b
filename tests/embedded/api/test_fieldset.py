"""Field sets and merging, over all values that a small schema allows."""

from __future__ import annotations

from typing import Any

from embedded.api import fieldset
from embedded.api.errors import Subject
from embedded.api.managers import Owner, owner, write
from embedded.api.patch.apply import applied
from embedded.api.schema.shapes import root
from tests.properties import given, settings
from tests.properties import strategies as some

_SHAPE = root(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "n": {"type": "integer"},
                    "deep": {"type": "object", "properties": {"x": {"type": "string"}}},
                    "map": {"type": "object", "additionalProperties": {"type": "string"}},
                    "plain": {"type": "array", "items": {"type": "string"}},
                    "tags": {"type": "array", "x-kubernetes-list-type": "set"},
                    "users": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {"type": "object", "properties": {"db": {"type": "string"}}},
                    },
                },
            }
        },
    }
)
_WORDS = some.sampled_from(["a", "b", 'c"', "d.e"])
_USERS = some.lists(
    some.fixed_dictionaries({"name": _WORDS}, optional={"db": _WORDS}),
    max_size=3,
    unique_by=lambda user: user["name"],
)
_SPECS = some.fixed_dictionaries(
    {},
    optional={
        "n": some.integers(0, 2),
        "deep": some.fixed_dictionaries({}, optional={"x": _WORDS}),
        "map": some.dictionaries(_WORDS, _WORDS, max_size=2),
        "plain": some.lists(_WORDS, max_size=2),
        "tags": some.lists(_WORDS, max_size=3, unique=True),
        "users": _USERS,
    },
)
_SUBJECT = Subject("example.com", "things", "Thing", "t")


def bare(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, **more}


def apply(live: dict[str, Any], spec: dict[str, Any], manager: str) -> dict[str, Any]:
    me = owner(manager, "Apply", "example.com/v1", "")
    result, owners = applied(_SHAPE, live, bare(spec=spec), me, _SUBJECT, force=True)
    result = {**result, "metadata": dict(result["metadata"])}
    write(result, owners)
    return result


@given(_SPECS)
def test_fields_survive_their_encoding(spec: dict[str, Any]) -> None:
    paths = frozenset(fieldset.flatten(_SHAPE, bare(spec=spec)))
    assert fieldset.decoded(fieldset.encoded(paths)) == paths


@given(_SPECS)
def test_applying_again_changes_nothing(spec: dict[str, Any]) -> None:
    once = apply(bare(), spec, "me")
    assert apply(once, spec, "me") == once


@given(_SPECS, _SPECS)
@settings(max_examples=200)
def test_alone_the_last_configuration_wins(old: dict[str, Any], new: dict[str, Any]) -> None:
    owned = fieldset.flatten(_SHAPE, apply(apply(bare(), old, "me"), new, "me"))
    assert owned == fieldset.flatten(_SHAPE, bare(spec=new))


@given(_SPECS, _SPECS)
@settings(max_examples=200)
def test_what_another_owns_survives(mine: dict[str, Any], other: dict[str, Any]) -> None:
    both = apply(apply(bare(), mine, "me"), other, "other")
    left = apply(both, {}, "me")
    assert fieldset.flatten(_SHAPE, bare(spec=other)).items() <= _flat(left).items()


def _flat(obj: dict[str, Any]) -> dict[Any, Any]:
    return fieldset.flatten(_SHAPE, obj)


def test_owners_are_read_as_they_were_written() -> None:
    fields = frozenset({("f:spec", 'k:{"name":"a"}'), ("f:spec", 'k:{"name":"a"}', "f:db")})
    written = owner("me", "Apply", "v1", "status").owning(fields)
    assert Owner(written.entry).fields == fields
    assert written.identity == ("Apply", "me", "v1", "status")

"""The table of built-in types (`builtin.json`, see `generate`) as shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from embedded.api.types.shape import STRING, Shape

Json = dict[str, Any]


@cache
def _table() -> Json:
    loaded: Json = json.loads(Path(__file__).with_name("builtin.json").read_bytes())
    return loaded


@cache
def message(name: str) -> Shape:
    """The shape of a message such as `core.Container`."""
    fields = dict(_members(_table()["messages"][name]))
    atomic = name in _table()["atomic"]
    return Shape(kind="struct", fields=MappingProxyType(fields), atomic=atomic, message=name)


@cache
def top_level(name: str) -> Shape:
    """The shape of a whole object of a kind such as `core.Pod`."""
    return message(name).with_fields({"apiVersion": STRING, "kind": STRING})


@cache
def inlined(name: str) -> tuple[tuple[int, str], ...]:
    """Number and type of the members of a message that JSON writes into the message itself."""
    members = _table()["messages"][name].values()
    return tuple((entry["number"], entry["type"]) for entry in members if entry.get("inline"))


def _members(entries: Json) -> Iterator[tuple[str, Shape]]:
    for name, entry in entries.items():
        if entry.get("inline"):
            # Their numbers belong to another message: only `inlined` leads to them on the wire.
            yield from (
                (inner, replace(shape, number=-shape.number))
                for inner, shape in message(entry["type"]).fields.items()
            )
        else:
            yield name, _member(entry)


def _member(entry: Json) -> Shape:
    return replace(
        _shape(entry["type"], entry),
        default=entry.get("default"),
        patch=entry.get("patch", ""),
        merge_key=entry.get("mergeKey", ""),
        number=entry["number"],
        omit_zero=entry.get("omitempty", False),
    )


def _shape(kind: str, entry: Json) -> Shape:
    if kind.startswith("[]"):
        list_kind: Literal["atomic", "set", "map"] = (
            "map" if entry.get("keys") else entry.get("list", "atomic")
        )
        keys = tuple(entry.get("keys", ()))
        return Shape(kind="list", element=_shape(kind[2:], {}), list_kind=list_kind, keys=keys)
    if kind.startswith("map:"):
        atomic = entry.get("atomic", False)
        return Shape(kind="map", element=_shape(kind[4:], {}), atomic=atomic)
    if "." in kind:
        found = top_level(kind) if kind in _WHOLE else message(kind)
        return replace(found, atomic=True) if entry.get("atomic") else found
    return Shape(kind="any", wire=kind, open=True) if kind in _FREE else scalar(kind)


_FREE = {"raw", "fieldsv1"}
_WHOLE = {"core.PersistentVolumeClaim"}
"""Kinds that are members of others, with their `apiVersion` and `kind`."""


@cache
def scalar(wire: str) -> Shape:
    """The shape of a scalar."""
    return Shape(kind="scalar", wire=wire)

"""A structural schema as a shape, so that custom resources merge as built-in kinds do."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from embedded.api.jsons import Json
from embedded.api.types.builtin import message, scalar
from embedded.api.types.shape import ANY, STRING, Shape


def root(schema: Json) -> Shape:
    """The shape of a whole custom object."""
    found = shape_of(schema)
    if found.kind != "struct":
        found = Shape(kind="struct", open=True)
    typed = {"apiVersion": STRING, "kind": STRING, "metadata": message("meta.ObjectMeta")}
    return found.with_fields(typed)


def shape_of(schema: Json) -> Shape:
    """The shape of a part of it."""
    found = _plain(schema)
    default = schema.get("default")
    return found if default is None else replace(found, default=default)


def _plain(schema: Json) -> Shape:
    kind: Any = schema.get("type", "")
    if schema.get("x-kubernetes-int-or-string"):
        return scalar("intstr")
    if kind == "array":
        return _list(schema)
    if kind == "object":
        return _object(schema)
    if schema.get("x-kubernetes-preserve-unknown-fields") or not kind:
        return ANY
    return scalar(kind)


def _list(schema: Json) -> Shape:
    return Shape(
        kind="list",
        element=shape_of(schema.get("items") or {}),
        list_kind=schema.get("x-kubernetes-list-type", "atomic"),
        keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
    )


def _object(schema: Json) -> Shape:
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    element = schema.get("additionalProperties")
    if isinstance(element, dict):
        return Shape(kind="map", element=shape_of(element), atomic=atomic)
    fields = {name: shape_of(part) for name, part in (schema.get("properties") or {}).items()}
    return Shape(kind="struct", fields=MappingProxyType(fields), atomic=atomic, open=True)

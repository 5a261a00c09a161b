"""Tables: what `kubectl get` shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from embedded.api.columns import UNKNOWN, Column, age
from embedded.api.jsons import Json
from embedded.api.resources import Resource
from embedded.api.store import Stored

_NAME = Column("Name", lambda obj: obj["metadata"]["name"], format="name")
_AGE = Column("Age", lambda obj: age(obj["metadata"].get("creationTimestamp")))


def table(
    resource: Resource,
    stored: Iterable[Stored],
    *,
    include: str,
    version: str = "v1",
    meta: Json | None = None,
    heads: bool = True,
) -> Json:
    """A `Table` of objects; each row carries its object, its metadata or nothing."""
    columns = _columns(resource)
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": meta or {},
        "columnDefinitions": [column.definition() for column in columns] if heads else [],
        "rows": [_row(resource, columns, item, include) for item in stored],
    }


def _columns(resource: Resource) -> Sequence[Column]:
    if resource.custom:
        return (_NAME, *resource.columns)
    return resource.columns or (_NAME, _AGE)


def _row(resource: Resource, columns: Iterable[Column], stored: Stored, include: str) -> Json:
    row: Json = {"cells": [_cell(column, stored.obj) for column in columns]}
    if include == "Object":
        row["object"] = resource.from_storage(stored.obj)
    elif include != "None":
        row["object"] = partial(stored.obj)
    return row


def _cell(column: Column, obj: Json) -> object:
    try:
        found = column.cell(obj)
    except (AttributeError, KeyError, TypeError, ValueError):
        # Statuses are anybody's to write: one that makes no sense must not hide all other rows.
        return UNKNOWN
    if found is None and column.type == "string":
        return ""
    return found


def partial(obj: Json) -> Json:
    """An object's metadata alone."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }

"""Sets of fields of a value, and the form `fieldsV1` in which owners list them.

A path is a tuple of the steps of that form: `f:name` for a member, `k:{"name":"x"}` for an item of
a list that is a map, `v:"x"` for an item of a list that is a set. (KEP 555, server-side apply.)
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

from embedded.api.jsons import Json
from embedded.api.types.shape import ANY, Shape

Path = tuple[str, ...]
Flat = dict[Path, Any]

_CONTAINER = object()
"""The value of a path that is owned as such, beside what is in it."""

_UNOWNED = frozenset(
    (
        *("name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName"),
        *("generation", "managedFields", "resourceVersion", "generateName"),
        *("deletionTimestamp", "deletionGracePeriodSeconds"),
    )
)
"""Members of `metadata` that nobody ever owns."""


def flatten(shape: Shape, obj: Json, *, maps: bool = False) -> Flat:
    """All paths of an object with what is there, without those that nobody ever owns.

    With `maps` a map is owned as such, too, as by whoever writes without applying.
    """
    owned = {name: value for name, value in obj.items() if name not in {"apiVersion", "kind"}}
    meta = owned.pop("metadata", None) or {}
    kept = {name: value for name, value in meta.items() if name not in _UNOWNED}
    found: Flat = {}
    _walk(shape, {**owned, "metadata": kept} if kept else owned, (), found, maps)
    return found


def _walk(shape: Shape, value: Any, path: Path, found: Flat, maps: bool) -> None:
    if isinstance(value, dict) and not shape.whole:
        _walk_object(shape, value, path, found, maps)
    elif isinstance(value, list) and shape.kind == "list" and not shape.whole:
        _walk_list(shape, value, path, found, maps)
    else:
        found[path] = value


def _walk_object(shape: Shape, value: Json, path: Path, found: Flat, maps: bool) -> None:
    for name, item in value.items():
        step = (*path, f"f:{name}")
        child = shape.child(name)
        _walk(child, item, step, found, maps)
        if item in ({}, []) or name not in shape.fields or (maps and child.kind == "map"):
            found.setdefault(step, _CONTAINER)


def _walk_list(shape: Shape, value: list[Any], path: Path, found: Flat, maps: bool) -> None:
    for item in value:
        step = (*path, item_step(shape, item))
        if shape.list_kind == "map":
            _walk(shape.element or ANY, item, step, found, maps)
            found.setdefault(step, _CONTAINER)
        else:
            found[step] = item


def item_step(shape: Shape, item: Any) -> str:
    """The step that leads to an item of a list that is a set or a map."""
    if shape.list_kind != "map" or not isinstance(item, dict):
        return "v:" + json.dumps(item, separators=(",", ":"), sort_keys=True)
    element = shape.element or ANY
    parts = []
    for key in sorted(shape.keys):
        found = item.get(key, element.child(key).default)
        if found is not None:
            shown = _quoted(found) if isinstance(found, str) else json.dumps(found)
            parts.append(f"{_quoted(key)}:{shown}")
    return f"k:{{{','.join(parts)}}}"


class FieldsV1(Json):
    """Paths as `fieldsV1`, and the paths themselves: so that the next write need not read them."""

    def __init__(self, members: Json, paths: frozenset[Path]) -> None:
        super().__init__(members)
        self.paths = paths


def encoded(paths: Iterable[Path]) -> FieldsV1:
    """Paths as `fieldsV1`."""
    chosen = frozenset(paths)
    root: Json = {}
    for path in chosen:
        node = root
        for step in path:
            node = node.setdefault(step, {})
        node["."] = {}
    return FieldsV1(_without_lone_dots(root), chosen)


def _without_lone_dots(node: Json) -> Json:
    if node.keys() == {"."}:
        return {}
    return {step: _without_lone_dots(child) for step, child in sorted(node.items())}


def decoded(fields: Json) -> frozenset[Path]:
    """`fieldsV1` as paths."""
    if isinstance(fields, FieldsV1):
        return fields.paths
    found: set[Path] = set()
    _decode(fields, (), found)
    return frozenset(found)


def _decode(node: Json, path: Path, found: set[Path]) -> None:
    if path and (not node or "." in node):
        found.add(path)
    for step, child in node.items():
        if step != ".":
            _decode(child, (*path, step), found)


def changes(old: Flat, new: Flat) -> tuple[frozenset[Path], frozenset[Path]]:
    """The paths that were added or hold something else now, and those that are gone."""
    written = {path for path, value in new.items() if path not in old or old[path] != value}
    return frozenset(written), frozenset(old.keys() - new.keys())

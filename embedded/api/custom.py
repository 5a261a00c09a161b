"""From a CustomResourceDefinition to the resources that it defines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from embedded.api import jsonpath
from embedded.api.cel import rules as cel
from embedded.api.columns import Column, age
from embedded.api.errors import Cause
from embedded.api.jsons import Json
from embedded.api.resources import Resource, Scale, World
from embedded.api.schema import defaulting, pruning, shapes, validation
from embedded.api.types import decode
from embedded.api.types.builtin import message

_TYPED = ("apiVersion", "kind", "metadata")


class CustomRules:
    """The rules of a kind that a CRD defines in one version."""

    def __init__(self, schema: Json) -> None:
        self.schema = schema
        """As the CRD has it."""
        parts = schema.get("properties") or {}
        rest = {name: part for name, part in parts.items() if name not in _TYPED}
        self._schema = {**schema, "properties": rest}
        if "required" in schema:
            names = [name for name in schema["required"] if name not in _TYPED]
            self._schema["required"] = names
        self._cel = cel.node_of(schema)

    def read(self, body: Json, unknown: list[str]) -> Json:
        """Prune what the schema does not know; `metadata` is typed as everywhere."""
        typed = {name: body[name] for name in _TYPED if name in body}
        shape, given = message("meta.ObjectMeta"), typed.get("metadata", {})
        meta = decode.read(shape, given, unknown, "metadata")
        rest = {name: value for name, value in body.items() if name not in _TYPED}
        return {**typed, "metadata": meta, **pruning.pruned(self._schema, rest, unknown)}

    def default(self, obj: Json) -> None:
        """Fill in the schema's defaults."""
        defaulting.fill(self._schema, obj)

    def default_status(self, obj: Json) -> None:
        """Fill in the schema's defaults of the status."""
        part = (self._schema.get("properties") or {}).get("status")
        if part:
            defaulting.fill(part, obj.get("status"))

    def admit(self, obj: Json, world: World) -> None:
        """Nothing follows from other objects."""

    def create(self, obj: Json, world: World) -> None:
        """Nothing is allocated."""

    def update(self, obj: Json, old: Json, world: World) -> None:
        """Nothing is kept."""

    def warnings(self, obj: Json) -> Iterable[str]:  # noqa: ARG002
        """Nothing is warned of."""
        return ()

    def validate(self, obj: Json, old: Json | None) -> Iterable[Cause]:
        """Yield the causes for which an object breaks the schema, or else its rules."""
        rest = {name: value for name, value in obj.items() if name not in _TYPED}
        broken = list(validation.causes(self._schema, rest))
        if broken or self._cel is None:
            return broken
        return cel.causes(self._cel, _seen(obj), None if old is None else _seen(old))


def _seen(obj: Json) -> Json:
    """The object as rules see it: of its metadata the names alone."""
    meta = obj.get("metadata") or {}
    names = {name: meta[name] for name in ("name", "generateName") if name in meta}
    return {**obj, "metadata": names}


def resources(crd: Json) -> Iterator[Resource]:
    """The resources of all served versions, the preferred one first."""
    for version in sorted(crd["spec"]["versions"], key=_stored_first):
        if version.get("served"):
            yield _resource(crd["spec"], version)


def _stored_first(version: Json) -> bool:
    return not version.get("storage")


def _resource(spec: Json, version: Json) -> Resource:
    names, group = spec["names"], spec["group"]
    stored = next(version["name"] for version in spec["versions"] if version.get("storage"))
    schema = version["schema"]["openAPIV3Schema"]
    subresources = version.get("subresources") or {}
    return Resource(
        group=group,
        version=version["name"],
        plural=names["plural"],
        kind=names["kind"],
        singular=names.get("singular", ""),
        list_kind=names.get("listKind", ""),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        namespaced=spec["scope"] == "Namespaced",
        status="status" in subresources,
        scale=_scale(subresources.get("scale")),
        generation=True,
        unconditional=False,
        custom=True,
        shape=shapes.root(schema),
        rules=CustomRules(schema),
        columns=tuple(map(_column, version.get("additionalPrinterColumns") or _AGE)),
        fields=_selectable(version),
        to_storage=_renamed(f"{group}/{stored}"),
        from_storage=_renamed(f"{group}/{version['name']}"),
    )


def _selectable(version: Json) -> tuple[str, ...]:
    return tuple(
        definition["jsonPath"].lstrip(".") for definition in version.get("selectableFields") or ()
    )


_AGE = ({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},)


def _column(definition: Json) -> Column:
    path, dated = definition["jsonPath"], definition["type"] == "date"

    def cell(obj: Json) -> Any:
        found = jsonpath.find(path, obj)
        return age(found) if dated and isinstance(found, str) else found

    return Column(
        definition["name"],
        cell,
        definition["type"],
        wide=definition.get("priority", 0) > 0,
        format=definition.get("format", ""),
        description=definition.get("description", ""),
    )


def _scale(definition: Json | None) -> Scale | None:
    if definition is None:
        return None
    paths = (
        definition["specReplicasPath"],
        definition["statusReplicasPath"],
        definition.get("labelSelectorPath"),
    )
    spec, status, selector = (tuple(path.lstrip(".").split(".")) if path else () for path in paths)
    return Scale(spec=spec, status=status, selector=selector or ("status", "selector"))


def _renamed(api_version: str) -> Callable[[Json], Json]:
    def convert(obj: Json) -> Json:
        return obj if obj["apiVersion"] == api_version else {**obj, "apiVersion": api_version}

    return convert

"""From a CustomResourceDefinition to the resources that it defines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from embedded.api.errors import Cause
from embedded.api.jsons import Json
from embedded.api.resources import Resource, World
from embedded.api.types.shape import ANY


class CustomRules:
    """The rules of a kind that a CRD defines in one version."""

    def __init__(self, schema: Json) -> None:
        self._schema = schema

    def read(self, body: Json, unknown: list[str]) -> Json:  # noqa: ARG002
        """Prune what the schema does not know."""
        return body

    def default(self, obj: Json) -> None:
        """Fill in the schema's defaults."""

    def create(self, obj: Json, world: World) -> None:
        """Nothing is allocated."""

    def update(self, obj: Json, old: Json, world: World) -> None:
        """Nothing is kept."""

    def validate(self, obj: Json, old: Json | None) -> Iterable[Cause]:  # noqa: ARG002
        """What breaks the schema."""
        return ()


def resources(crd: Json) -> Iterator[Resource]:
    """The resources of all served versions."""
    spec = crd["spec"]
    names = spec["names"]
    stored = next(version["name"] for version in spec["versions"] if version.get("storage"))
    for version in spec["versions"]:
        if version.get("served"):
            subresources = version.get("subresources") or {}
            api_version = f"{spec['group']}/{version['name']}"
            storage = f"{spec['group']}/{stored}"
            yield Resource(
                group=spec["group"],
                version=version["name"],
                plural=names["plural"],
                kind=names["kind"],
                singular=names.get("singular", ""),
                list_kind=names.get("listKind", ""),
                short_names=tuple(names.get("shortNames") or ()),
                categories=tuple(names.get("categories") or ()),
                namespaced=spec["scope"] == "Namespaced",
                status="status" in subresources,
                generation=True,
                custom=True,
                shape=ANY,
                rules=CustomRules(version["schema"]["openAPIV3Schema"]),
                to_storage=_renamed(storage),
                from_storage=_renamed(api_version),
            )


def _renamed(api_version: str) -> Callable[[Json], Json]:
    def convert(obj: Json) -> Json:
        return obj if obj["apiVersion"] == api_version else {**obj, "apiVersion": api_version}

    return convert

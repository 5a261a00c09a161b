"""Resources of the server: names, shape, and the rules of their kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from embedded.api.addresses import ServiceAddresses
from embedded.api.columns import Column
from embedded.api.errors import Cause, Subject
from embedded.api.jsons import Json
from embedded.api.store import Collection, Store
from embedded.api.types.shape import Shape


@dataclass(frozen=True)
class World:
    """All other objects, which the rules of a kind may look at besides the object itself."""

    store: Store
    service_addresses: ServiceAddresses

    def collection(self, group: str, plural: str) -> Collection:
        """The objects of a resource."""
        return self.store.collection(group, plural)


class Rules(Protocol):
    """Reading, defaults, completion and validation of one kind. Objects are changed in place."""

    def read(self, body: Json, unknown: list[str]) -> Json:
        """A fresh, well-typed object; unknown names are listed. Raises ApiError 400."""
        ...

    def default(self, obj: Json) -> None:
        """Fill in what the kind defaults."""
        ...

    def default_status(self, obj: Json) -> None:
        """Fill in what the kind defaults in the status."""
        ...

    def admit(self, obj: Json, world: World) -> None:
        """Add what follows from other objects to a new one; raises ApiError 403.

        It may have no name yet.
        """
        ...

    def create(self, obj: Json, world: World) -> None:
        """Complete a new object: allocations, the first status."""
        ...

    def update(self, obj: Json, old: Json, world: World) -> None:
        """Keep what an update may not touch."""
        ...

    def warnings(self, obj: Json) -> Iterable[str]:
        """Yield warnings about a new or changed object, for its writer."""
        ...

    def validate(self, obj: Json, old: Json | None) -> Iterable[Cause]:
        """Yield the causes for which the object is refused."""
        ...


def _unchanged(obj: Json) -> Json:
    return obj


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The numbers of the `scale` subresource, as paths of member names."""

    spec: tuple[str, ...] = ("spec", "replicas")
    status: tuple[str, ...] = ("status", "replicas")
    selector: tuple[str, ...] = ("status", "selector")


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """One resource in one served version."""

    group: str
    version: str
    plural: str
    kind: str
    shape: Shape
    rules: Rules
    singular: str = ""
    list_kind: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    scale: Scale | None = None
    generation: bool = False
    """True where `metadata.generation` counts the changes of the specification."""
    fields: tuple[str, ...] = ()
    """Field selectors beyond name and namespace."""
    returns_deleted: bool = False
    """True where a DELETE answers with the object rather than with a Status."""
    one_by_one: bool = False
    """True where no DELETE takes all objects at once."""
    unconditional: bool = True
    """True where an update that names no version goes on top of whatever there is."""
    custom: bool = False
    deprecation: str = ""
    """The warning that every answer carries."""
    columns: tuple[Column, ...] = ()
    to_storage: Callable[[Json], Json] = _unchanged
    from_storage: Callable[[Json], Json] = _unchanged
    stored_as: tuple[str, str] = ("", "")
    """Group and plural of the collection, where they are not its own."""
    subresources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Further subresources with the kind of their bodies."""

    parts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Subresources that write one member of the specification, which nothing else writes."""

    @property
    def api_version(self) -> str:
        """`v1` or `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def subject(self, name: str = "") -> Subject:
        """An object of the resource, for a refusal."""
        return Subject(self.group, self.plural, self.kind, name)

    def collection(self, store: Store) -> Collection:
        """Its objects."""
        group, plural = self.stored_as if self.stored_as[1] else (self.group, self.plural)
        return store.collection(group, plural)


class Registry:
    """The resources that are served: the built-in ones, and those that CRDs bring."""

    def __init__(self, builtin: Iterable[Resource]) -> None:
        self._builtin = tuple(builtin)
        self._custom: dict[str, tuple[Resource, ...]] = {}
        self._index: dict[tuple[str, str, str], Resource] = {}
        self._reindex()

    def _reindex(self) -> None:
        self._index = {(found.group, found.version, found.plural): found for found in self.all()}

    def all(self) -> Iterable[Resource]:
        """Every resource in every served version."""
        yield from self._builtin
        for resources in self._custom.values():
            yield from resources

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource of a path."""
        return self._index.get((group, version, plural))

    def serves(self, group: str, version: str) -> bool:
        """Return whether the group has anything in the version."""
        return any(key[:2] == (group, version) for key in self._index)

    def install(self, crd: str, resources: Iterable[Resource]) -> None:
        """Serve what a CRD defines, in place of what it defined before."""
        self._custom[crd] = tuple(resources)
        self._reindex()

    def of(self, crd: str) -> tuple[Resource, ...]:
        """Return the resources that a CRD defines."""
        return self._custom.get(crd, ())

    def uninstall(self, crd: str) -> None:
        """Serve it no more."""
        self._custom.pop(crd, None)
        self._reindex()

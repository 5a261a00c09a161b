"""A local copy of objects, ordered by resourceVersion, that can be looked up by any index."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from types import MappingProxyType

from embedded.client.resources import Json

Key = tuple[str, str]
Index = Callable[[Json], Iterable[Hashable]]


def key_of(obj: Json) -> Key:
    """(namespace, name) of an object; the namespace of a cluster-scoped one is empty."""
    metadata = obj["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def version_of(obj: Json) -> int:
    """The resourceVersion, which servers hand out as increasing integers."""
    return int(obj["metadata"]["resourceVersion"])


class Store:
    """Objects by (namespace, name), with indices that follow every change."""

    def __init__(self) -> None:
        self._items: dict[Key, Json] = {}
        self._functions: dict[str, Index] = {}
        self._indices: dict[str, dict[Hashable, dict[Key, None]]] = {}

    @property
    def items(self) -> Mapping[Key, Json]:
        """A live, read-only view."""
        return MappingProxyType(self._items)

    def add_index(self, name: str, function: Index) -> None:
        """Index all objects by the values that `function` gives for each; once per name."""
        if name in self._functions:
            return
        self._functions[name] = function
        self._indices[name] = {}
        for key, obj in self._items.items():
            self._enter(name, key, obj)

    def by_index(self, name: str, value: Hashable) -> list[Json]:
        """All objects indexed under `value`, oldest entry first."""
        return [self._items[key] for key in self._indices[name].get(value, ())]

    def put(self, obj: Json) -> None:
        """Enter or exchange an object."""
        key = key_of(obj)
        self.remove(key)
        self._items[key] = obj
        for name in self._functions:
            self._enter(name, key, obj)

    def remove(self, key: Key) -> Json | None:
        """Take an object out; None if it was not there."""
        obj = self._items.pop(key, None)
        if obj is not None:
            for name, function in self._functions.items():
                self._leave(name, key, function(obj))
        return obj

    def _enter(self, name: str, key: Key, obj: Json) -> None:
        for value in self._functions[name](obj):
            self._indices[name].setdefault(value, {})[key] = None

    def _leave(self, name: str, key: Key, values: Iterable[Hashable]) -> None:
        index = self._indices[name]
        for value in values:
            keys = index.get(value, {})
            keys.pop(key, None)
            if not keys:
                index.pop(value, None)

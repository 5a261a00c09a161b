"""Shapes of values, by which two of them merge, for built-in and custom kinds alike.

The words follow the "structured merge diff" design of server-side apply: a list is atomic, a set,
or a map by keys; a struct or map is granular or atomic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["scalar", "struct", "map", "list", "any"]
_NONE: Mapping[str, Shape] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape:
    """One node of a type.

    `any` is decided by the value at hand: objects are granular maps, lists are atomic.
    """

    kind: Kind
    wire: str = ""
    """Of scalars: `string`, `int32`, `int64`, `bool`, `bytes`, `quantity`, `time`, …"""
    fields: Mapping[str, Shape] = field(default_factory=lambda: _NONE)
    element: Shape | None = None
    open: bool = False
    """Of a struct: names that are not listed are kept."""
    atomic: bool = False
    list_kind: Literal["atomic", "set", "map"] = "atomic"
    keys: tuple[str, ...] = ()
    default: Any = None
    patch: str = ""
    """Strategic merge patch: `merge`, `replace`, `retainKeys` or a pair of them."""
    merge_key: str = ""
    number: int = 0
    """Field number in the protobuf encoding."""
    omit_zero: bool = False
    """In protobuf zero is always written, in JSON never."""
    message: str = ""
    """Of a struct: its name in the table of built-in types."""

    @property
    def whole(self) -> bool:
        """Owned and replaced as one value."""
        return (
            self.atomic
            or self.kind == "scalar"
            or (self.kind == "list" and self.list_kind == "atomic")
        )

    def child(self, name: str) -> Shape:
        """The shape of a member of an object."""
        found = self.fields.get(name)
        return found if found is not None else (self.element or ANY)

    def with_fields(self, extra: Mapping[str, Shape]) -> Shape:
        """The same struct with more members."""
        return replace(self, fields=MappingProxyType({**self.fields, **extra}))


ANY = Shape(kind="any", open=True)
STRING = Shape(kind="scalar", wire="string")

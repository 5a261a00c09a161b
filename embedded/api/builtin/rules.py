"""The rules of a built-in kind, put together from small functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from embedded.api.errors import Cause
from embedded.api.jsons import Json
from embedded.api.resources import World
from embedded.api.types import decode
from embedded.api.types.shape import Shape


def nothing(*_: Any) -> None:
    """Leave the object as it is."""


def no_causes(_obj: Json, _old: Json | None) -> Iterable[Cause]:
    """Find nothing wrong."""
    return ()


def no_warnings(_obj: Json) -> Iterable[str]:
    """Warn of nothing."""
    return ()


@dataclass(frozen=True, kw_only=True, eq=False)
class BuiltinRules:
    """The functions of one kind; see `resources.Rules` for what each is for."""

    shape: Shape
    defaults: Callable[[Json], None] = nothing
    on_admission: Callable[[Json, World], None] = nothing
    on_create: Callable[[Json, World], None] = nothing
    on_update: Callable[[Json, Json, World], None] = nothing
    warn: Callable[[Json], Iterable[str]] = no_warnings
    check: Callable[[Json, Json | None], Iterable[Cause]] = no_causes

    def read(self, body: Json, unknown: list[str]) -> Json:
        """Check the types, drop nulls and unknown names."""
        result: Json = decode.read(self.shape, body, unknown)
        return result

    def default(self, obj: Json) -> None:
        """Fill in the defaults."""
        self.defaults(obj)

    def default_status(self, obj: Json) -> None:
        """Built-in kinds default nothing in their status."""

    def admit(self, obj: Json, world: World) -> None:
        """Add what follows from other objects."""
        self.on_admission(obj, world)

    def create(self, obj: Json, world: World) -> None:
        """Complete a new object."""
        self.on_create(obj, world)

    def update(self, obj: Json, old: Json, world: World) -> None:
        """Keep what an update may not touch."""
        self.on_update(obj, old, world)

    def warnings(self, obj: Json) -> Iterable[str]:
        """Yield warnings for the writer."""
        return self.warn(obj)

    def validate(self, obj: Json, old: Json | None) -> Iterable[Cause]:
        """Yield the causes for which the object is refused."""
        return self.check(obj, old)


def required(field: str, why: str = "") -> Cause:
    """A field that must be there."""
    text = f"Required value: {why}" if why else "Required value"
    return Cause(field=field, reason="FieldValueRequired", message=text)


def wrong(field: str, value: Any, why: str) -> Cause:
    """A value that is not allowed."""
    return Cause(
        field=field, reason="FieldValueInvalid", message=f"Invalid value: {_shown(value)}: {why}"
    )


def duplicate(field: str, value: str) -> Cause:
    """A value that stands there already."""
    return Cause(
        field=field, reason="FieldValueDuplicate", message=f"Duplicate value: {_shown(value)}"
    )


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def unsupported(field: str, value: Any, allowed: Iterable[str]) -> Cause:
    """A value that is not among those allowed."""
    listed = ", ".join(f'"{item}"' for item in allowed)
    text = f'Unsupported value: "{value}": supported values: {listed}'
    return Cause(field=field, reason="FieldValueNotSupported", message=text)


def immutable(field: str, why: str = "field is immutable") -> Cause:
    """A change of what never changes."""
    return Cause(field=field, reason="FieldValueForbidden", message=f"Forbidden: {why}")

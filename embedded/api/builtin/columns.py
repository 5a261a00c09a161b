"""The columns of the built-in kinds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from embedded.api.columns import Column


def of(kind: str) -> tuple[Column, ...]:
    """The columns of a kind besides name and age; none: name and age only."""
    return _COLUMNS.get(kind, ())


_COLUMNS: Mapping[str, tuple[Column, ...]] = MappingProxyType({})

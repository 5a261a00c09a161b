"""Looks that a stage took apart from each other, of which some may have failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from suites.breach import EachElement

K = TypeVar("K")
V = TypeVar("V")


def if_known(each: EachElement, name: str, found: Mapping[K, V] | Exception) -> Mapping[K, V]:
    """Return what a look saw; nothing of one that failed, whose error becomes that of `name`."""
    if isinstance(found, Exception):
        with each(name):
            raise found
        return {}
    return found

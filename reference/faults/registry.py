"""All faults and variants, found in `reference.faults.chapters`, and combinations of them."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import TypeVar, cast

from reference.faults import chapters
from reference.faults.fault import Fault
from reference.faults.variant import Behaviour, Variant, record_of

_T = TypeVar("_T")
_CHAPTERS = ("AUTO", "CERTREQ", "CONN", "REPL", "CUSTOM", "ROOTCA", "UPDATE", "TLSONLY", "FIN")


class UnknownFaultError(ValueError):
    """A name that the registry does not have; the message is one line for the user."""


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(chapters.__path__, f"{chapters.__name__}."):
        yield importlib.import_module(found.name)


def _overrides() -> Iterator[tuple[Behaviour, type]]:
    for module in _modules():
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                record = record_of(value)
                if record is not None:
                    yield record, value


def _place(fault: Fault) -> tuple[int, str, int, str]:
    """Return the place of a fault's first requirement in the catalogue's order."""
    chapter, _, item = fault.requirements[0].partition("-")
    number, letter = re.fullmatch(r"(\d+)(.*)", item).groups()  # type: ignore[union-attr]
    known = _CHAPTERS.index(chapter) if chapter in _CHAPTERS else len(_CHAPTERS)
    return known, chapter, int(number), letter


_FOUND: tuple[tuple[Behaviour, type], ...] = tuple(_overrides())

REGISTRY: tuple[Fault, ...] = tuple(
    sorted((found for found, _ in _FOUND if isinstance(found, Fault)), key=_place)
)
"""All faults, in the order of the requirements that they break."""

VARIANTS: tuple[Variant, ...] = tuple(found for found, _ in _FOUND if isinstance(found, Variant))
"""All variants, in the order of the sources."""

EVERYTHING: tuple[Behaviour, ...] = (*REGISTRY, *VARIANTS)
"""All faults, then all variants."""

OVERRIDES: Mapping[str, type] = {found.name: override for found, override in _FOUND}
"""The classes that commit the faults, and those of the variants, by name."""


def parse(text: str) -> tuple[Behaviour, ...]:
    """Return the faults and variants named in `text`, separated by commas, each once and by name.

    Raises UnknownFaultError.
    """
    names = {word.strip() for word in text.split(",")} - {""}
    return tuple(_find(name) for name in sorted(names))


def combined(base: type[_T], faults: Iterable[Behaviour]) -> _T:
    """Return an object of `base` that commits all faults which override something of `base`.

    Faults of others are left out: those of the node from the operator's contract, and vice versa.
    """
    overrides = [OVERRIDES[fault.name] for fault in faults]
    mine = [override for override in overrides if issubclass(override, base)]
    if not mine:
        return base()
    return cast(_T, type(f"Faulty{base.__name__}", tuple(mine), {})())


def _find(name: str) -> Behaviour:
    by_name = {each.name: each for each in EVERYTHING}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "see python -m faultmatrix --list"
    raise UnknownFaultError(f"unknown fault {name!r}: {hint}")

"""All faults, found in the modules of `reference.faults.chapters`, and combinations of them."""

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

_T = TypeVar("_T")
_CHAPTERS = ("AUTO", "CERTREQ", "CONN", "REPL", "CUSTOM", "ROOTCA", "UPDATE", "TLSONLY", "FIN")


class UnknownFaultError(ValueError):
    """A name that the registry does not have; the message is one line for the user."""


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(chapters.__path__, f"{chapters.__name__}."):
        yield importlib.import_module(found.name)


def _overrides() -> Iterator[tuple[Fault, type]]:
    for module in _modules():
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                record = Fault.of(value)
                if record is not None:
                    yield record, value


def _place(fault: Fault) -> tuple[int, str, int, str]:
    """Return the place of a fault's first requirement in the catalogue's order."""
    chapter, _, item = fault.requirements[0].partition("-")
    number, letter = re.fullmatch(r"(\d+)(.*)", item).groups()  # type: ignore[union-attr]
    known = _CHAPTERS.index(chapter) if chapter in _CHAPTERS else len(_CHAPTERS)
    return known, chapter, int(number), letter


_FOUND: tuple[tuple[Fault, type], ...] = tuple(
    sorted(_overrides(), key=lambda each: _place(each[0]))
)

REGISTRY: tuple[Fault, ...] = tuple(fault for fault, _ in _FOUND)
"""All faults, in the order of the requirements that they break."""

OVERRIDES: Mapping[str, type] = {fault.name: override for fault, override in _FOUND}
"""The classes that commit the faults, by the faults' names."""


def parse(text: str) -> tuple[Fault, ...]:
    """Return the faults whose names stand in `text`, separated by commas, each once and by name.

    Raises UnknownFaultError.
    """
    names = {word.strip() for word in text.split(",")} - {""}
    return tuple(_find(name) for name in sorted(names))


def combined(base: type[_T], faults: Iterable[Fault]) -> _T:
    """Return an object of `base` that commits all faults which override something of `base`.

    Faults of others are left out: those of the node from the operator's contract, and vice versa.
    """
    overrides = [OVERRIDES[fault.name] for fault in faults]
    mine = [override for override in overrides if issubclass(override, base)]
    if not mine:
        return base()
    return cast(_T, type(f"Faulty{base.__name__}", tuple(mine), {})())


def _find(name: str) -> Fault:
    by_name = {fault.name: fault for fault in REGISTRY}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "see python -m faultmatrix --list"
    raise UnknownFaultError(f"unknown fault {name!r}: {hint}")

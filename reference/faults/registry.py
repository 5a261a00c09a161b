"""All faults, in the order of the chapters that they break."""

from __future__ import annotations

import difflib
from types import ModuleType

from reference.faults import auto, conn, custom, fin, tlsonly
from reference.faults.fault import Fault, Faults


def _faults(module: ModuleType) -> tuple[Fault, ...]:
    return tuple(value for value in vars(module).values() if isinstance(value, Fault))


REGISTRY: tuple[Fault, ...] = tuple(
    fault for module in (auto, conn, custom, tlsonly, fin) for fault in _faults(module)
)


class UnknownFaultError(ValueError):
    """A name that the registry does not have; the message is one line for the user."""


def parse(text: str) -> Faults:
    """Read names separated by commas. Raises UnknownFaultError."""
    names = [word.strip() for word in text.split(",")]
    return Faults(frozenset(_find(name) for name in names if name))


def _find(name: str) -> Fault:
    by_name = {fault.name: fault for fault in REGISTRY}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "see python -m faultmatrix --list"
    raise UnknownFaultError(f"unknown fault {name!r}: {hint}")

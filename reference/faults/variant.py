"""The record of a variant: an operator that keeps the contract, and in a way of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from reference.faults.fault import RECORD, Fault, Hit, Where

_T = TypeVar("_T", bound=type)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way of keeping the contract that is not the usual one; every requirement expects passed.

    It is also the decorator of the class that behaves so. `differs` says in one sentence what is
    different. `differing` are requirements of the level MAY that describe the usual way, and so do
    not pass; none of another level may be among them. `deadlines` are waits of the verifier, in
    seconds by name: long ones, for what it shows is not how quick the machine is. Variants of
    different aspects keep the contract together, too, in one run; one without an aspect is alone.
    With `other_postgresql` the images of PostgreSQL and PgBouncer are those of the Debian release
    that is not the machine's own, and so of another major version.
    """

    name: str
    differs: str
    differing: tuple[Hit, ...] = ()
    where: Where = "operator"
    aspect: str = ""
    other_postgresql: bool = False
    deadlines: tuple[tuple[str, float], ...] = (("ready", 90), ("recovered", 90))

    def __call__(self, override: _T) -> _T:
        """Note of a subclass of `Contract` or `NodeBehaviour` that it behaves so."""
        setattr(override, RECORD, self)
        return override


Behaviour = Fault | Variant
"""What a class in the chapters of the faults commits, or is."""


def record_of(override: type) -> Behaviour | None:
    """Return the record in front of a class; None of one that has none of its own."""
    return vars(override).get(RECORD)

"""The record of a fault, which stands in front of the class that commits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

Where = Literal["operator", "node", "data plane"]
Expected = Literal["failed", "error"]

_T = TypeVar("_T", bound=type)
RECORD = "__fault__"
"""The attribute of a class that holds its record."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A requirement that a fault is bound to hit besides, and why that cannot be helped.

    `sometimes` is for one that depends on which of two things comes first.
    """

    requirement: str
    reason: str
    sometimes: bool = False


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One deliberate breach of the contract, and the decorator of the class that commits it.

    `breaks` says it in one sentence. `requirements` are the ids that must come out as
    `expects`; `collateral` those that may suffer too, of the scenarios that decide them.
    `versions` are operator versions known to behave so (`"2.6-3.1"`); empty for a breach that no
    known version has. `deadlines` are waits of the verifier, in seconds by name, that the breach
    is bound to let expire, and that need not be as long to show it.
    """

    name: str
    breaks: str
    requirements: tuple[str, ...]
    collateral: tuple[Hit, ...] = ()
    where: Where = "operator"
    expects: Expected = "failed"
    versions: tuple[str, ...] = ()
    deadlines: tuple[tuple[str, float], ...] = ()

    def __call__(self, override: _T) -> _T:
        """Note of a subclass of `Contract` or `NodeBehaviour` that it commits this fault."""
        setattr(override, RECORD, self)
        return override


def hits(reason: str, *requirements: str, sometimes: bool = False) -> tuple[Hit, ...]:
    """Return hits of several requirements for one reason."""
    return tuple(Hit(requirement=each, reason=reason, sometimes=sometimes) for each in requirements)

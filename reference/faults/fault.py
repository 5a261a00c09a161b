"""What a fault is, and which faults are switched on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Where = Literal["operator", "node", "data plane"]
Expected = Literal["failed", "error"]


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
    """One deliberate breach of the contract.

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


@dataclass(frozen=True)
class Faults:
    """The faults that are switched on: none, in an operator that keeps the contract."""

    active: frozenset[Fault] = frozenset()

    def __contains__(self, fault: Fault) -> bool:
        return fault in self.active

    def __iter__(self) -> Iterator[Fault]:
        return iter(sorted(self.active, key=lambda fault: fault.name))

    @classmethod
    def of(cls, *faults: Fault) -> Faults:
        """Switch on the faults given."""
        return cls(frozenset(faults))

    def without(self, fault: Fault) -> Faults:
        """The others alone."""
        return Faults(self.active - {fault})

    def __str__(self) -> str:
        return ",".join(fault.name for fault in self)

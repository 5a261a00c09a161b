"""Words for the tests of the matrix: findings, listings and faults in a line each."""

from __future__ import annotations

from faultmatrix.listing import Check, Listing
from faultmatrix.verdicts import Findings, Verdict
from reference.faults.fault import Fault, Hit

FAULT = Fault(
    name="door-open",
    breaks="The door is open.",
    requirements=("DOOR-1",),
    collateral=(Hit(requirement="DOOR-2", reason="it is the same door"),),
)


def findings(*breakdowns: str, **verdicts: str) -> Findings:
    """`findings(DOOR_1="failed")`: verdicts by requirement, and what broke."""
    return Findings(
        verdicts={
            name.replace("_", "-"): Verdict(verdict=verdict, why=f"why {name}")
            for name, verdict in verdicts.items()
        },
        breakdowns=breakdowns,
    )


def listing(**checks: tuple[str, ...]) -> Listing:
    """`listing(DOOR_1=("house",))`: one check for each requirement, on these scenarios."""
    return Listing(
        {
            name.replace("_", "-"): (Check(id=f"test::{name}", scenarios=frozenset(scenarios)),)
            for name, scenarios in checks.items()
        }
    )

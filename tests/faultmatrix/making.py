"""Runs, listings and faults for the tests of the matrix, in a line each."""

from __future__ import annotations

from faultmatrix.listing import Check, Listing
from reference.faults.fault import Fault, Hit
from reference.faults.variant import Variant
from reports.run import VERDICTS, Breakdown, RequirementRecord, Run, Verdict

FAULT = Fault(
    name="door-open",
    breaks="The door is open.",
    requirements=("DOOR-1",),
    collateral=(Hit(requirement="DOOR-2", reason="it is the same door"),),
)


VARIANT = Variant(
    name="door-of-glass",
    differs="The door is of glass.",
    differing=(Hit(requirement="DOOR-2", reason="it says of what doors usually are"),),
)


def run(*breakdowns: str, may: tuple[str, ...] = (), **verdicts: Verdict) -> Run:
    """`run(DOOR_1="failed")`: a judged run with verdicts by requirement, and what broke.

    Those of `may` are of the level MAY.
    """
    records = tuple(
        RequirementRecord(
            id=name.replace("_", "-"),
            chapter=name.partition("_")[0],
            promise="It is shut.",
            level="MAY" if name in may else "MUST",
            required=name not in may,
            verdict=verdict,
            reason=f"why {name}",
        )
        for name, verdict in verdicts.items()
    )
    return Run(
        run="c0ffee",
        tool="0.1.0",
        started=1_700_000_000.0,
        finished=None,
        result="partial",
        exit_code=0,
        selection=True,
        certifies=False,
        obstacles=(),
        platform=None,
        subject=None,
        settings={},
        catalogue="0" * 64,
        counts={each: sum(row.verdict == each for row in records) for each in VERDICTS},
        requirements=records,
        breakdowns=tuple(Breakdown(text=text) for text in breakdowns),
    )


def listing(**checks: tuple[str, ...]) -> Listing:
    """`listing(DOOR_1=("house",))`: one check for each requirement, on these scenarios."""
    return Listing(
        {
            name.replace("_", "-"): (Check(id=f"test::{name}", scenarios=frozenset(scenarios)),)
            for name, scenarios in checks.items()
        }
    )

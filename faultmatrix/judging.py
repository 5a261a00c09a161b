"""What a run under a fault says of the checks: caught, missed, hit besides. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from faultmatrix.verdicts import HIT, PASSED, UNSEEN, Findings, Verdict
from reference.faults.fault import Fault


@dataclass(frozen=True, kw_only=True)
class Row:
    """A requirement in the matrix: what became of it, and a reason where there is one."""

    requirement: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A row of the matrix: what was seen of one fault.

    `missed` are required rows that did not come out as the fault expects, `besides` the listed
    collateral that occurred, `unexpected` what was hit and is not listed, `idle` the certain
    collateral that did not occur, and `broken` says why nothing is known.
    """

    fault: Fault
    caught: tuple[Row, ...] = ()
    missed: tuple[Row, ...] = ()
    besides: tuple[Row, ...] = ()
    unexpected: tuple[Row, ...] = ()
    idle: tuple[Row, ...] = ()
    broken: str = ""

    @property
    def good(self) -> bool:
        """Whether the checks caught the fault, and nothing else was hit than what is listed."""
        return not (self.missed or self.unexpected or self.broken)


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The run without a fault: what should have been green and is not."""

    reds: tuple[Row, ...] = ()
    green: int = 0
    broken: str = ""

    @property
    def good(self) -> bool:
        """Whether everything that applies is green, and something does."""
        return not (self.reds or self.broken) and self.green > 0


def judge(fault: Fault, findings: Findings) -> Outcome:
    """Compare what a run under a fault found with what the registry says of it."""
    wanted = [(id_, findings.of(id_)) for id_ in fault.requirements]
    listed = {hit.requirement: hit.reason for hit in fault.collateral}
    certain = [hit.requirement for hit in fault.collateral if not hit.sometimes]
    hit = {
        id_: found
        for id_, found in findings.verdicts.items()
        if found.verdict in HIT and id_ not in fault.requirements
    }
    return Outcome(
        fault=fault,
        caught=_rows((i, v) for i, v in wanted if v.verdict == fault.expects),
        missed=_rows((i, v) for i, v in wanted if v.verdict != fault.expects),
        besides=tuple(
            Row(requirement=id_, verdict=hit[id_].verdict, reason=reason)
            for id_, reason in listed.items()
            if id_ in hit
        ),
        unexpected=_rows((id_, v) for id_, v in hit.items() if id_ not in listed),
        idle=_rows((id_, findings.of(id_)) for id_ in certain if id_ not in hit),
        broken="; ".join(findings.breakdowns),
    )


def judge_baseline(findings: Findings, decided: frozenset[str]) -> Baseline:
    """Say what is not green without a fault, of the requirements that the run should decide."""
    rows = [(id_, v) for id_, v in findings.verdicts.items() if v.verdict != "not-applicable"]
    reds = [
        (id_, v)
        for id_, v in rows
        if v.verdict != PASSED and (id_ in decided or v.verdict not in UNSEEN)
    ]
    green = sum(v.verdict == PASSED for _, v in rows)
    return Baseline(reds=_rows(reds), green=green, broken="; ".join(findings.breakdowns))


def _rows(found: Iterable[tuple[str, Verdict]]) -> tuple[Row, ...]:
    return tuple(Row(requirement=id_, verdict=v.verdict, reason=v.why) for id_, v in found)

"""Judge the checks by a run under a fault: caught, missed, hit besides. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reference.faults.fault import Fault
from reference.faults.variant import Variant
from reports.run import RequirementRecord, Run, Verdict
from reports.text import one_line

HIT: frozenset[Verdict] = frozenset({"failed", "known-deviation", "error"})
"""Verdicts of a requirement that was looked at and is not green; what is blocked was not."""
UNSEEN: frozenset[Verdict] = frozenset({"blocked", "not-tested", "skipped", "not-applicable"})


@dataclass(frozen=True, kw_only=True)
class Row:
    """A requirement in the matrix: what became of it, and a reason where there is one."""

    requirement: str
    verdict: Verdict
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
        """Return whether the checks caught the fault, and nothing was hit but what is listed."""
        return not (self.missed or self.unexpected or self.broken)

    @property
    def unclear(self) -> bool:
        """Return whether nothing but errors spoils it, as on a machine that is too busy."""
        spoiling = (*self.missed, *self.unexpected)
        return not self.good and all(row.verdict == "error" for row in spoiling)


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The run without a fault: what should have been green and is not."""

    reds: tuple[Row, ...] = ()
    green: int = 0
    broken: str = ""

    @property
    def good(self) -> bool:
        """Return whether everything that applies is green, and something does."""
        return not (self.reds or self.broken) and self.green > 0


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The run with a variant, which keeps the contract: what is not green although it should be.

    `besides` are rows of the level MAY that are listed as differing, and do; `idle` those that are
    listed and do not. `company` names the other variants of the same run.
    """

    variant: Variant
    company: tuple[str, ...] = ()
    reds: tuple[Row, ...] = ()
    besides: tuple[Row, ...] = ()
    idle: tuple[Row, ...] = ()
    green: int = 0
    broken: str = ""

    @property
    def good(self) -> bool:
        """Return whether everything is green but what is listed, and something is."""
        return not (self.reds or self.broken) and self.green > 0


Seen = Outcome | Kept | Baseline


def judge(fault: Fault, run: Run) -> Outcome:
    """Compare what a run under a fault found with what the registry says of it."""
    rows = {record.id: _row(record) for record in run.requirements}
    wanted = [rows.get(id_) or _not_mentioned(id_) for id_ in fault.requirements]
    listed = {hit.requirement: hit.reason for hit in fault.collateral}
    certain = [hit.requirement for hit in fault.collateral if not hit.sometimes]
    hit = {
        id_: row
        for id_, row in rows.items()
        if row.verdict in HIT and id_ not in fault.requirements
    }
    return Outcome(
        fault=fault,
        caught=tuple(row for row in wanted if row.verdict == fault.expects),
        missed=tuple(row for row in wanted if row.verdict != fault.expects),
        besides=tuple(
            replace(hit[id_], reason=reason) for id_, reason in listed.items() if id_ in hit
        ),
        unexpected=tuple(row for id_, row in hit.items() if id_ not in listed),
        idle=tuple(rows.get(id_) or _not_mentioned(id_) for id_ in certain if id_ not in hit),
        broken=_broken(run),
    )


def judge_baseline(run: Run, decided: frozenset[str]) -> Baseline:
    """Say what is not green without a fault, of the requirements that the run should decide."""
    reds = tuple(map(_row, _reds(run, decided)))
    return Baseline(reds=reds, green=len(run.with_verdict("passed")), broken=_broken(run))


def judge_variant(
    variant: Variant, run: Run, decided: frozenset[str], company: Sequence[Variant] = ()
) -> Kept:
    """Say what is not green with a variant, of the requirements that the run should decide.

    One that the variant lists, or one of its company in that run, is excused where it failed and is
    of the level MAY.
    """
    listed = {hit.requirement: hit.reason for hit in variant.differing}
    theirs = {hit.requirement for other in company for hit in other.differing}
    reds = _reds(run, decided)
    excused = {
        record.id
        for record in reds
        if record.id in listed.keys() | theirs
        and record.level == "MAY"
        and record.verdict == "failed"
    }
    idle = [hit.requirement for hit in variant.differing if not hit.sometimes]
    return Kept(
        variant=variant,
        company=tuple(other.name for other in company),
        reds=tuple(_row(record) for record in reds if record.id not in excused),
        besides=tuple(
            replace(_row(record), reason=listed[record.id])
            for record in reds
            if record.id in excused and record.id in listed
        ),
        idle=tuple(
            _row(record)
            for record in run.requirements
            if record.id in idle and record.verdict == "passed"
        ),
        green=len(run.with_verdict("passed")),
        broken=_broken(run),
    )


def _reds(run: Run, decided: frozenset[str]) -> list[RequirementRecord]:
    return [
        record
        for record in run.requirements
        if record.verdict not in {"passed", "not-applicable"}
        and (record.id in decided or record.verdict not in UNSEEN)
    ]


def _row(record: RequirementRecord) -> Row:
    return Row(requirement=record.id, verdict=record.verdict, reason=_reason(record))


def _not_mentioned(requirement: str) -> Row:
    return Row(requirement=requirement, verdict="not-tested")


def _reason(record: RequirementRecord) -> str:
    """Return the first breach in a line, or the first line of the reason that the report gives."""
    breaches = [breach for check in record.checks for breach in check.differences]
    if breaches:
        return one_line(f"{breaches[0].where}: {breaches[0].seen}")
    return one_line(record.reason.partition("\n")[0])


def _broken(run: Run) -> str:
    return "; ".join(one_line(breakdown.text) for breakdown in run.breakdowns)

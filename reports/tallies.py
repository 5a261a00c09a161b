"""What a run tells besides verdicts: listed deviations, and findings about the documentation."""

from collections.abc import Iterable, Mapping
from typing import Literal

from reports.events import CheckFinished, FindingShown, KnownDeviation, ListedFinding
from reports.run import (
    DeviationRecord,
    FindingRecord,
    RequirementRecord,
    UnshownFinding,
    Verdict,
)
from reports.text import one_line

_STATES: Mapping[Verdict, Literal["occurred", "gone"]] = {
    "known-deviation": "occurred",
    "passed": "gone",
}


def deviations_of(
    listed: Iterable[KnownDeviation], rows: Iterable[RequirementRecord]
) -> tuple[DeviationRecord, ...]:
    """Say of each listed deviation whether it occurred, for the requirements of the run."""
    verdicts = {row.id: row.verdict for row in rows}
    return tuple(
        DeviationRecord(
            requirement=entry.requirement,
            reason=entry.reason,
            link=entry.link,
            review_by=entry.review_by,
            sometimes=entry.sometimes,
            state=_STATES.get(verdicts[entry.requirement], "unknown"),
        )
        for entry in listed
        if entry.requirement in verdicts
    )


def finding_of(event: FindingShown) -> FindingRecord:
    """Make the record of a finding that was seen."""
    return FindingRecord(
        id=event.finding,
        says=event.says,
        where=event.where,
        seen=event.seen,
        evidence=event.evidence,
    )


def unshown(
    listed: Iterable[ListedFinding],
    shown: frozenset[str],
    ends: Mapping[str, CheckFinished],
) -> tuple[UnshownFinding, ...]:
    """Say of each listed finding that was not shown, why; `ends` are those of all checks, by id."""
    return tuple(
        UnshownFinding(
            id=one.id,
            says=one.says,
            why=_why_not(one, ends),
            unknown=any(ends[check].outcome == "error" for check in one.checks if check in ends),
        )
        for one in listed
        if one.id not in shown
    )


def _why_not(finding: ListedFinding, ends: Mapping[str, CheckFinished]) -> str:
    if not finding.checks:
        return "no check shows it yet"
    ended = [ends[check] for check in finding.checks if check in ends]
    broken = [end for end in ended if end.outcome in {"error", "blocked", "skipped"}]
    if broken:
        first = one_line(broken[0].text.partition("\n")[0])
        return f"{broken[0].outcome}: {first}"
    if len(ended) < len(finding.checks):
        return "its check did not run"
    return "looked for and not seen"

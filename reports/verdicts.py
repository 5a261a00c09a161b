"""Verdicts: a pure function of the journal.

Two things are never mixed up. A breach is the subject's; an error is the environment's or the
suite's, and then nothing is known. And what was not looked at is never green.
"""

from collections.abc import Sequence
from typing import TypeVar

from reports.events import (
    CheckFinished,
    CheckStarted,
    EnvironmentBroke,
    Event,
    FindingShown,
    Footer,
    Interrupted,
    KnownDeviation,
    Selected,
)
from reports.journal import Journal
from reports.run import (
    VERDICTS,
    Breakdown,
    CheckRecord,
    FindingRecord,
    RequirementRecord,
    Result,
    Run,
    Verdict,
)
from reports.text import plural

_Event = TypeVar("_Event", bound=Event)

INTERRUPTED = 2
INCONCLUSIVE = 3
NOTHING = 5
CANNOT_CERTIFY = 6


def judge(journal: Journal) -> Run:
    """Judge a run by its journal, also one that was interrupted or cut off."""
    header = journal.header
    rows = _requirements(journal)
    interrupted = [event.by for event in _of(journal, Interrupted)]
    run = Run(
        run=header.run,
        tool=header.tool,
        started=header.time,
        finished=next((event.time for event in _of(journal, Footer)), None),
        result="passed",
        exit_code=0,
        interrupted=interrupted[0] if interrupted else "",
        cut_off=journal.cut_off,
        selection=header.selection,
        certifies=False,
        obstacles=(),
        platform=header.platform,
        subject=header.subject,
        images=header.images,
        settings=header.settings,
        catalogue=header.catalogue,
        counts={verdict: sum(row.verdict == verdict for row in rows) for verdict in VERDICTS},
        requirements=rows,
        findings=tuple(_finding(event) for event in _of(journal, FindingShown)),
        breakdowns=tuple(
            Breakdown(text=event.text, log=event.log) for event in _of(journal, EnvironmentBroke)
        ),
    )
    return _concluded(run)


def verdict_of(
    selected: Selected,
    checks: Sequence[CheckRecord],
    *,
    listed: KnownDeviation | None = None,
    broke: bool = False,
) -> tuple[Verdict, str]:
    """Decide one requirement from all of its checks; the second part says why, in words.

    One breach is enough to fail it. Without one, an error leaves it unknown, and it has passed
    only when every check that decides it has. `broke` says that the environment did, so that
    checks which did not come to run count as errors.
    """
    if selected.not_applicable:
        return "not-applicable", selected.not_applicable
    outcomes = {check.outcome for check in checks}
    if "failed" in outcomes:
        return ("known-deviation", listed.reason) if listed else ("failed", "")
    if "error" in outcomes:
        return "error", _first_text(checks, "error")
    if "blocked" in outcomes:
        return "blocked", _first_text(checks, "blocked")
    if "skipped" in outcomes:
        return "skipped", _first_text(checks, "skipped")
    if not checks:
        return "not-tested", "no check decides it yet"
    waiting = sum(check.outcome != "passed" for check in checks)
    if waiting:
        if broke:
            return "error", "the environment broke before it was decided"
        return "not-tested", f"{len(checks) - waiting} of {plural(len(checks), 'check')} ran"
    return "passed", f"kept, though listed as a deviation: {listed.reason}" if listed else ""


def result_of(run: Run) -> Result:
    """Give the first result that fits, over what is required."""
    required = {row.verdict for row in run.requirements if row.required}
    if "failed" in required or (run.asked.strict_deviations and "known-deviation" in required):
        return "failed"
    if "error" in required or run.breakdowns:
        return "inconclusive"
    open_ = bool(required & {"skipped", "blocked", "not-tested"})
    if open_ or run.interrupted or run.cut_off or not ran(run):
        return "partial"
    return "passed"


def exit_code_of(run: Run, *, written: bool = True) -> int:
    """Give the exit code; `written` says whether the report could be."""
    if run.interrupted or run.cut_off:
        return INTERRUPTED
    if not written:
        return INCONCLUSIVE
    if run.result == "failed":
        return 1
    if run.result == "inconclusive":
        return INCONCLUSIVE
    if not ran(run):
        return NOTHING
    return CANNOT_CERTIFY if run.asked.certify and run.obstacles else 0


def obstacles_of(run: Run) -> tuple[str, ...]:
    """Say all that keeps a run from certifying its subject."""
    deviations = [
        row.id for row in run.with_verdict("known-deviation") if row.id not in run.asked.accept
    ]
    reasons = {
        "the subject is the reference operator": run.reference,
        "the subject is unknown": run.subject is None,
        f"the result is {run.result}": run.result != "passed",
        "only a selection was judged": run.selection,
        f"known deviations not accepted by name: {', '.join(deviations)}": bool(deviations),
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def ran(run: Run) -> bool:
    """Return whether any check of the run came to an end: without one, nothing is ever green."""
    return any(
        check.outcome not in {"not-run", "cut-off"}
        for row in run.requirements
        for check in row.checks
    )


def _concluded(run: Run) -> Run:
    run = run.model_copy(update={"result": result_of(run)})
    obstacles = obstacles_of(run)
    run = run.model_copy(update={"obstacles": obstacles, "certifies": not obstacles})
    return run.model_copy(update={"exit_code": exit_code_of(run)})


def _requirements(journal: Journal) -> tuple[RequirementRecord, ...]:
    finished = {event.check: event for event in _of(journal, CheckFinished)}
    started = {event.check for event in _of(journal, CheckStarted)}
    listed = {entry.requirement: entry for entry in journal.header.known_deviations}
    broke = any(True for _ in _of(journal, EnvironmentBroke))
    return tuple(
        _requirement(
            selected,
            tuple(_check(check, finished.get(check), started) for check in selected.checks),
            listed.get(selected.id),
            broke=broke,
        )
        for selected in journal.header.requirements
    )


def _requirement(
    selected: Selected,
    checks: tuple[CheckRecord, ...],
    listed: KnownDeviation | None,
    *,
    broke: bool,
) -> RequirementRecord:
    verdict, reason = verdict_of(selected, checks, listed=listed, broke=broke)
    return RequirementRecord(
        id=selected.id,
        chapter=selected.chapter,
        promise=selected.promise,
        level=selected.level,
        required=selected.level == "MUST" and not selected.not_applicable,
        verdict=verdict,
        reason=reason,
        checks=checks,
        link=selected.link,
    )


def _check(check: str, end: CheckFinished | None, started: set[str]) -> CheckRecord:
    if end is None:
        return CheckRecord(id=check, outcome="cut-off" if check in started else "not-run")
    return CheckRecord(
        id=check,
        outcome=end.outcome,
        seconds=end.seconds,
        differences=end.differences,
        elements=end.elements,
        text=end.text,
        evidence=end.evidence,
        namespaces=end.namespaces,
    )


def _finding(event: FindingShown) -> FindingRecord:
    return FindingRecord(
        id=event.finding,
        says=event.says,
        where=event.where,
        seen=event.seen,
        evidence=event.evidence,
    )


def _first_text(checks: Sequence[CheckRecord], outcome: str) -> str:
    return next((check.text for check in checks if check.outcome == outcome), "")


def _of(journal: Journal, kind: type[_Event]) -> list[_Event]:
    return [event for event in journal.events if isinstance(event, kind)]

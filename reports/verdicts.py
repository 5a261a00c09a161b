"""Verdicts: a pure function of the journal.

Two things are never mixed up. A breach is the subject's; an error is the environment's or the
suite's, and then nothing is known. And what was not looked at is never green.
"""

import re
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
    Suite,
    Took,
)
from reports.journal import Journal
from reports.run import (
    VERDICTS,
    Breakdown,
    CheckRecord,
    RequirementRecord,
    Result,
    Run,
    TimeRecord,
    Verdict,
)
from reports.statement import statement_of
from reports.tallies import deviations_of, finding_of, unshown
from reports.text import plural

_Event = TypeVar("_Event", bound=Event)

INTERRUPTED = 2
INCONCLUSIVE = 3
NOTHING = 5
CANNOT_CERTIFY = 6
DECIDED: frozenset[Verdict] = frozenset({"passed", "failed", "known-deviation"})
"""The verdicts of a requirement that was looked at, so that it is known whether it is kept."""


def judge(journal: Journal) -> Run:
    """Judge a run by its journal, also one that was interrupted or cut off."""
    header = journal.header
    rows = _requirements(journal)
    ends = {event.check: event for event in _of(journal, CheckFinished)}
    shown = _of(journal, FindingShown)
    interrupted = [event.by for event in _of(journal, Interrupted)]
    run = Run(
        run=header.run,
        tool=header.tool,
        suite=header.suite or Suite(version=header.tool),
        command=header.command,
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
        deviations=deviations_of(header.known_deviations, rows),
        findings=tuple(finding_of(event) for event in shown),
        unshown_findings=unshown(header.findings, frozenset(e.finding for e in shown), ends),
        breakdowns=tuple(
            Breakdown(text=event.text, log=event.log) for event in _of(journal, EnvironmentBroke)
        ),
        notices=header.notices,
        times=tuple(
            TimeRecord(part=event.part, name=event.name, ended=event.time, seconds=event.seconds)
            for event in _of(journal, Took)
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
    only when every check that decides it has. `listed` is the deviation that is known of the
    subject's version. `broke` says that the environment did, so that checks which did not come to
    run count as errors.
    """
    if selected.not_applicable:
        return "not-applicable", selected.not_applicable
    if selected.skipped:
        return "skipped", selected.skipped
    outcomes = {check.outcome for check in checks}
    if "failed" in outcomes:
        return _broken(checks, listed)
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
    """Give the first result that fits.

    What is required decides; in a selection without anything required, all of it does, though no
    breach fails it. What was selected and came out as an error leaves the selection inconclusive
    at any level. And where nothing was decided, nothing has passed.
    """
    required = {row.verdict for row in run.requirements if row.required}
    all_ = {row.verdict for row in run.requirements}
    if "failed" in required or (run.asked.strict_deviations and "known-deviation" in required):
        return "failed"
    looked_for = all_ if run.selection or not required else required
    if "error" in looked_for or run.breakdowns:
        return "inconclusive"
    if not all_ & DECIDED and ("blocked" in all_ or (not all_ and run.broken_findings)):
        return "inconclusive"
    open_ = bool((required or all_) & {"skipped", "blocked", "not-tested"})
    kept = bool(all_ & {"passed", "known-deviation"})
    if open_ or run.interrupted or run.cut_off or not ran(run) or not kept:
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
        row.id
        for row in run.with_verdict("known-deviation")
        if row.required and row.id not in run.asked.accept
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
    """Return whether anything was decided or found: without that, nothing is ever green."""
    return bool(run.findings) or any(row.verdict in DECIDED for row in run.requirements)


def _concluded(run: Run) -> Run:
    run = run.model_copy(update={"result": result_of(run)})
    obstacles = obstacles_of(run)
    run = run.model_copy(update={"obstacles": obstacles, "certifies": not obstacles})
    return run.model_copy(update={"exit_code": exit_code_of(run), "statement": statement_of(run)})


def _broken(checks: Sequence[CheckRecord], listed: KnownDeviation | None) -> tuple[Verdict, str]:
    """Tell a listed deviation from another breach of the same requirement."""
    if listed is None:
        return "failed", ""
    meant = re.compile(listed.breach)
    breaches = [one for check in checks for one in check.differences]
    if all(meant.search(f"{one.where}: {one.seen}") for one in breaches):
        return "known-deviation", listed.reason
    return "failed", f"not only as is known of it ({listed.reason})"


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
        waited=end.waited,
        differences=end.differences,
        elements=end.elements,
        text=end.text,
        evidence=end.evidence,
        namespaces=end.namespaces,
    )


def _first_text(checks: Sequence[CheckRecord], outcome: str) -> str:
    return next((check.text for check in checks if check.outcome == outcome), "")


def _of(journal: Journal, kind: type[_Event]) -> list[_Event]:
    return [event for event in journal.events if isinstance(event, kind)]

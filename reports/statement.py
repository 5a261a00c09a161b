"""The result of a run in words: what it is worth, and all that it leaves unknown.

The same lines are in run.json, in junit.xml and at the end of the terminal's report.
"""

from collections.abc import Iterable, Sequence

from reports.events import Image, Platform, Subject
from reports.run import RequirementRecord, Run, Verdict
from reports.text import one_line, plural

MANY = 6
"""Ids that a sentence names; of more it names the first, and their number."""
OPEN: dict[Verdict, str] = {
    "error": "unknown",
    "not-tested": "not tested",
    "blocked": "blocked",
    "skipped": "skipped",
}
"""The verdicts that leave a requirement undecided, in words."""


def heading(platform: Platform | None, subject: Subject | None) -> str:
    """Give the first line of every output: the platform and the subject."""
    place = "none came up"
    if platform is not None:
        detail = f" ({platform.detail})" if platform.detail else ""
        place = one_line(platform.name + detail)
    return f"platform {place}, subject {judged(subject)}"


def images_of(subject: Subject | None, images: Sequence[Image]) -> tuple[str, ...]:
    """Say of another operator than the reference operator which images were its own.

    On a platform that has them from a registry all are, and there is nothing to say.
    """
    if subject is None or subject.reference or not images:
        return ()
    own = [f"{one.reference} ({one.digest})" for one in images if not one.stands_in]
    others = [f"{one.stands_in} for {one.reference}" for one in images if one.stands_in]
    return (
        one_line(f"images its own: {', '.join(own) or 'none'}"),
        *([one_line(f"images standing in: {', '.join(others)}")] if others else []),
    )


def judged(subject: Subject | None) -> str:
    """Name the operator that was judged."""
    return one_line(f"{subject.name} {subject.version}") if subject else "unknown"


def statement_of(run: Run) -> tuple[str, ...]:
    """Say how the run came out, and what that is worth."""
    lines = []
    if run.cut_off:
        lines.append("cut off: the run was killed, what follows is what it had found")
    if run.interrupted:
        lines.append(f"interrupted by {one_line(run.interrupted)}")
    lines.append(_result(run))
    lines += images_of(run.subject, run.images)
    lines += _deviations(run)
    if run.asked.certify and run.obstacles:
        lines.append("does not certify: " + "; ".join(run.obstacles))
    return tuple(lines)


def _result(run: Run) -> str:
    scope = " of the selection" if run.selection else ""
    match run.result:
        case "failed":
            line = f"failed{scope}: {_broken(run)}"
            rest = [row for row in run.requirements if row.required and row.verdict in OPEN]
            return line + "".join(f", {part}" for part in _counts(rest)) + _besides(run)
        case "inconclusive":
            return f"inconclusive{scope}: {_unknown(run)}"
        case "partial":
            line = f"partial, certifies nothing: {_open(run)}{scope}"
        case "passed":
            line = _passed(run, scope)
    if run.reference:
        line += " (reference run, certifies nothing)"
    return line + _besides(run)


def _passed(run: Run, scope: str) -> str:
    deviating = run.with_verdict("known-deviation")
    line = f"passed{scope} but for known deviations" if deviating else f"passed{scope}"
    if run.certifies:
        line += f", certifies {judged(run.subject)}" + (" with them" if deviating else "")
        if run.platform is not None and images_of(run.subject, run.images):
            line += f", on the platform {one_line(run.platform.name)} with the images below"
        return line
    if any(row.required for row in deviating) and not (run.selection or run.reference):
        line += ", certifies nothing while they are not accepted by name (--certify --accept ID)"
    return line


def _broken(run: Run) -> str:
    failed = [row for row in run.with_verdict("failed") if row.required]
    deviating = [row for row in run.with_verdict("known-deviation") if row.required]
    parts = []
    if failed:
        parts.append(f"{plural(len(failed), 'required promise')} broken")
    if deviating and run.asked.strict_deviations:
        parts.append(f"{plural(len(deviating), 'known deviation')}, with --strict-deviations")
    return ", ".join(parts)


def _unknown(run: Run) -> str:
    """Say what is unknown, and how far that goes; never more than is known."""
    required = [row for row in run.with_verdict("error") if row.required]
    others = [row for row in run.with_verdict("error") if not row.required]
    parts = []
    if required:
        parts.append(f"{plural(len(required), 'required promise')} unknown ({_ids(required)})")
    if others:
        parts.append(f"unknown, though not required: {_ids(others, levels=True)}")
    if not parts and (blocked := run.with_verdict("blocked")):
        parts.append(f"nothing was decided, {len(blocked)} blocked ({_ids(blocked)})")
    parts += _unknown_findings(run)
    if run.breakdowns:
        parts.append("something broke, see ERROR")
    return "; ".join(parts) or "nothing was decided"


def _open(run: Run) -> str:
    rows = [row for row in run.requirements if row.verdict in OPEN]
    if parts := _counts(rows):
        return ", ".join(parts)
    applicable = [row for row in run.requirements if row.verdict != "not-applicable"]
    if run.requirements and not applicable:
        return "nothing applies to this subject"
    if not any(row.verdict in {"passed", "known-deviation"} for row in applicable):
        return "nothing required was decided"
    return "not everything was looked at"


def _besides(run: Run) -> str:
    """Say what is not required and yet not kept, behind a result that it does not change."""
    others = [row for row in run.requirements if not row.required]
    parts = []
    for verdict, words in (("failed", "broken"), ("error", "unknown"), ("blocked", "blocked")):
        if found := [row for row in others if row.verdict == verdict]:
            parts.append(f"{words}, though not required: {_ids(found, levels=True)}")
    parts += _unknown_findings(run)
    return "".join(f"; {part}" for part in parts)


def _unknown_findings(run: Run) -> list[str]:
    """Name the findings of which nothing is known; why is said where those not shown are listed."""
    ids = [one.id for one in run.broken_findings]
    return [f"unknown: {', '.join(ids)}"] if ids else []


def _deviations(run: Run) -> list[str]:
    lines = []
    if occurred := [one.requirement for one in run.deviations if one.state == "occurred"]:
        lines.append(f"known deviations that occurred: {', '.join(occurred)}")
    if gone := [one.requirement for one in run.deviations if one.state == "gone"]:
        rare = {one.requirement for one in run.deviations if one.sometimes}
        always = [id_ for id_ in gone if id_ not in rare]
        sometimes = [id_ for id_ in gone if id_ in rare]
        if always:
            lines.append(
                f"known deviations that are gone: {', '.join(always)}; take them off the list"
            )
        if sometimes:
            lines.append(
                f"known deviations that do not occur in every run, nor in this: "
                f"{', '.join(sometimes)}"
            )
    found = {one.requirement for one in run.deviations if one.state == "occurred"}
    if idle := [id_ for id_ in run.asked.accept if id_ not in found]:
        lines.append(f"accepted, but no known deviation of this run: {', '.join(idle)}")
    return lines


def _counts(rows: Sequence[RequirementRecord]) -> list[str]:
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in OPEN}
    return [f"{count} {OPEN[verdict]}" for verdict, count in counts.items() if count]


def _ids(rows: Iterable[RequirementRecord], *, levels: bool = False) -> str:
    named = [f"{row.id} ({row.level})" if levels else row.id for row in rows]
    rest = len(named) - MANY
    return ", ".join(named[:MANY]) + (f" and {rest} more" if rest > 0 else "")

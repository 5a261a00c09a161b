"""The report for people at the end of a run: what is broken, then the rest, then the table."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from reports import timing
from reports.events import Difference
from reports.run import VERDICTS, RequirementRecord, Run, Verdict
from reports.statement import heading, images_of
from reports.text import one_line, visible
from reports.wrapping import PIPED, bounded, cells, columns, folded, padded, wrapped

__all__ = ["Style", "heading", "images_of", "render"]

HEADLINES: dict[Verdict, str] = {
    "failed": "FAILED",
    "error": "ERROR",
    "blocked": "BLOCKED",
    "known-deviation": "KNOWN DEVIATION",
    "skipped": "SKIPPED",
}
COLOURS: dict[str, str] = {
    "failed": "31;1",
    "error": "35;1",
    "blocked": "33",
    "known-deviation": "33",
    "skipped": "33",
    "not-tested": "2",
    "not-applicable": "2",
    "passed": "32",
    "inconclusive": "35;1",
    "partial": "33;1",
}
TAIL_LINES = 18
"""Of a log: room for the last words of two Pods."""
OTHERS = 5
WIDEST = 120
"""Columns of a report: sentences that are longer are not good to read."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """The width of the terminal, whether it shows colours, and whether it bounds long words."""

    width: int = PIPED
    colour: bool = False
    breaks: bool = True

    def paint(self, text: str, kind: str) -> str:
        """Colour a text after the verdict or result that it speaks of."""
        return f"\x1b[{COLOURS[kind]}m{text}\x1b[0m" if self.colour else text

    def wrapped(self, text: str, first: str, rest: str) -> Iterator[str]:
        """Wrap a text; `first` and `rest` are what its lines begin with."""
        yield from wrapped(text, self.width, first, rest, breaks=self.breaks)

    def logged(self, text: str) -> Iterator[str]:
        """Fit the lines of a log's tail, as far as there is room for it."""
        for line in [line for line in text.splitlines() if line.strip()][-TAIL_LINES:]:
            yield from folded(visible(line), self.width, "    | ", "    |   ")


def style_of(stream: TextIO) -> Style:
    """Return the style of a stream: of the terminal that it writes to, or of a pipe."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return Style(breaks=False)
    dumb = os.environ.get("TERM", "dumb") in {"", "dumb"}
    return Style(
        width=columns(descriptor, most=WIDEST),
        colour=os.isatty(descriptor) and not dumb and not os.environ.get("NO_COLOR"),
        breaks=bounded(descriptor),
    )


def render(run: Run, style: Style, report: str) -> str:
    """Give the whole of it; `report` is the path of the report directory."""
    lines = [*style.wrapped(heading(run.platform, run.subject), "", "  "), ""]
    for row in run.with_verdict("known-deviation"):
        lines += [*_row(row, style), ""]
    for row in sorted(run.with_verdict("failed"), key=lambda row: not row.required):
        lines += [*_row(row, style), ""]
    for breakdown in run.breakdowns:
        lines += [*_broke(one_line(breakdown.text), breakdown.log, style), ""]
    for verdict in ("error", "blocked"):
        lines += list(_by_reason(run.with_verdict(verdict), style))
    lines += list(_by_reason(run.with_verdict("skipped"), style))
    for finding in run.findings:
        says, seen = one_line(finding.says), one_line(finding.seen)
        lines += style.wrapped("FINDING about the documentation", f"{finding.id}  ", "  ")
        lines += [*_field("page", says, style), *_field("seen", seen, style), ""]
    lines += [*_table(run, style), "", *_times(run, style)]
    for sentence in (*_unshown(run), *map(one_line, run.notices)):
        lines += style.wrapped(sentence, "", "  ")
    for sentence in run.statement:
        lines += [style.paint(line, run.result) for line in style.wrapped(sentence, "", "  ")]
    for sentence in _judged_by(run):
        lines += style.wrapped(sentence, "", "  ")
    if report:
        place = f"report: {report}"
        lines += style.wrapped(place, "", "  ") if style.breaks else [place]
    return "\n".join(lines) + "\n"


def _unshown(run: Run) -> Iterator[str]:
    """Say which findings were not shown, by reason; of a selection only its own are listed."""
    for why in dict.fromkeys(one.why for one in run.unshown_findings):
        ids = ", ".join(one.id for one in run.unshown_findings if one.why == why)
        yield f"not shown: {one_line(ids)} ({one_line(why)})"


def _judged_by(run: Run) -> Iterator[str]:
    """Name the suite by its commit, where it has one."""
    if run.suite is not None and run.suite.commit is not None:
        changed = ", with changes that are in no commit" if run.suite.dirty else ""
        yield f"suite: {run.suite.version}, commit {run.suite.commit[:12]}{changed}"


def _row(row: RequirementRecord, style: Style) -> Iterator[str]:
    word = style.paint(HEADLINES[row.verdict], row.verdict)
    informs = "" if row.level == "MUST" else ": informs, fails nothing"
    level = f"({row.level}{informs})"
    plain = f"{HEADLINES[row.verdict]} {level}  {one_line(row.promise)}"
    first, *rest = style.wrapped(plain, f"{row.id}  ", " " * (len(row.id) + 2))
    yield first.replace(HEADLINES[row.verdict], word, 1)
    yield from rest
    differences = [one for check in row.checks for one in check.differences]
    if differences:
        evidence = [path for check in row.checks for path in check.evidence]
        yield from _difference(row, differences[0], evidence, style)
        yield from _others(differences[1:], style)
        if row.link:
            yield from _field("page", one_line(row.link), style)
    if row.reason:
        yield from _reason(row, style)


def _by_reason(rows: list[RequirementRecord], style: Style) -> Iterator[str]:
    """Tell each reason once: one scenario that breaks leaves many requirements undecided."""
    for reason in dict.fromkeys(row.reason for row in rows):
        alike = [row for row in rows if row.reason == reason]
        if len(alike) == 1:
            yield from _row(alike[0], style)
        else:
            word = HEADLINES[alike[0].verdict]
            ids = ", ".join(row.id for row in alike)
            first, *rest = style.wrapped(f"{word}  {ids}", "", " " * (len(word) + 2))
            yield first.replace(word, style.paint(word, alike[0].verdict), 1)
            yield from rest
            yield from _reason(alike[0], style)
        yield ""


def _difference(
    row: RequirementRecord, one: Difference, evidence: list[str], style: Style
) -> Iterator[str]:
    look = "; ".join(part for part in (one_line(one.look_at), _folder(evidence)) if part)
    yield from _field("where", one_line(one.where), style)
    yield from _namespaces(row, style)
    yield from _field("promised", one_line(one.promised), style)
    yield from _field("seen", one_line(one.seen), style)
    if look:
        yield from _field("look at", look, style)


def _namespaces(row: RequirementRecord, style: Style) -> Iterator[str]:
    if row.namespaces:
        yield from _field("namespace", ", ".join(map(one_line, row.namespaces)), style)


def _others(differences: list[Difference], style: Style) -> Iterator[str]:
    for one in differences[:OTHERS]:
        yield from _field("also", f"{one_line(one.where)}: {one_line(one.seen)}", style)
    if len(differences) > OTHERS:
        yield from _field("", f"and {len(differences) - OTHERS} more, in run.json", style)


def _reason(row: RequirementRecord, style: Style) -> Iterator[str]:
    first, _, tail = row.reason.strip().partition("\n")
    yield from _field("because", one_line(first), style)
    yield from style.logged(tail)
    checks = [check for check in row.checks if check.outcome == row.verdict]
    if row.verdict == "error" and checks:
        yield from _namespaces(row, style)
        if folders := _folder(list(checks[0].evidence)):
            yield from _field("look at", folders, style)
        yield from _field("check", one_line(checks[0].id), style)


def _broke(text: str, log: str, style: Style) -> Iterator[str]:
    first, *rest = style.wrapped(f"ERROR  {text}", "", "       ")
    yield first.replace("ERROR", style.paint("ERROR", "error"), 1)
    yield from rest
    yield from style.logged(log)


def _field(name: str, text: str, style: Style) -> Iterator[str]:
    yield from style.wrapped(text, f"  {name:<9} ", " " * 12)


def _folder(evidence: list[str]) -> str:
    """One path stands for all that lie in its folder."""
    folders = dict.fromkeys(path.rpartition("/")[0] + "/" for path in evidence)
    return ", ".join(one_line(folder) for folder in folders)


def _times(run: Run, style: Style) -> Iterator[str]:
    for title, spans in (("time", timing.parts(run)), ("slowest", timing.slowest(run))):
        width = max((len(span.time) for span in spans), default=0)
        for at, span in enumerate(spans):
            begin = f"{'' if at else title:<10}{span.time:>{width}}  "
            yield from style.wrapped(span.name, begin, " " * len(begin))
        if spans:
            yield ""


def _table(run: Run, style: Style) -> Iterator[str]:
    """Count verdicts by chapter: in a table, or in sentences where it has no room."""
    shown = [verdict for verdict in VERDICTS if run.counts[verdict]]
    names = [*dict.fromkeys(row.chapter for row in run.requirements)]
    rows = {
        one_line(name): [
            sum(_counted(row, name, verdict) for row in run.requirements) for verdict in shown
        ]
        for name in names
    }
    rows["all"] = [run.counts[verdict] for verdict in shown]
    heads = [verdict.replace("-", " ") for verdict in shown]
    room = max(9, *(cells(name) for name in rows))
    if room + sum(len(head) + 2 for head in heads) > style.width:
        for name, counts in rows.items():
            words = [f"{count} {head}" for count, head in zip(counts, heads, strict=True) if count]
            yield from style.wrapped(", ".join(words), f"{padded(name, room)} ", " " * (room + 1))
        return
    yield "  ".join([padded("chapter", room), *heads]).rstrip()
    for name, counts in rows.items():
        numbers = [f"{n or '.':>{len(head)}}" for n, head in zip(counts, heads, strict=True)]
        yield "  ".join([padded(name, room), *numbers])


def _counted(row: RequirementRecord, chapter: str, verdict: Verdict) -> bool:
    return row.chapter == chapter and row.verdict == verdict

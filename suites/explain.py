"""--list and --explain: what is promised, where, and how it is checked; nothing is started."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fixtures.run.deadlines import DEADLINE_KINDS
from reports.text import plural
from reports.wrapping import bounded, columns, wrapped
from suites.catalogue import Catalogue, Finding, Requirement
from suites.deviations import Deviation
from suites.index import Check

_WIDEST = 100
"""Sentences that are longer are not good to read."""


def listing(catalogue: Catalogue, checks: Sequence[Check], rows: Sequence[Requirement]) -> str:
    """List requirements with their checks, by chapter."""
    lines: list[str] = []
    for chapter in catalogue.chapters:
        mine = [row for row in chapter.requirements if row in rows]
        if mine:
            lines += _wrapped(chapter.title, f"{chapter.id}  ", "  ")
            lines += [line for row in mine for line in _entry(row, _deciding(row.id, checks))]
            lines += [""]
    if len(rows) == len(catalogue.by_id):
        lines += [*_findings(catalogue.findings, checks), ""]
    decided = sum(bool(_deciding(row.id, checks)) for row in rows)
    lines += [f"{plural(len(rows), 'requirement')}, {decided} decided by checks"]
    return "\n".join(lines) + "\n"


def explanations(
    catalogue: Catalogue, checks: Sequence[Check], rows: Sequence[Requirement], root: Path
) -> str:
    """Explain requirements; before the first of a chapter that is there whole comes its title."""
    texts: list[str] = []
    for row in rows:
        chapter = next(each for each in catalogue.chapters if each.id == row.chapter)
        whole = len(chapter.requirements) > 1 and set(chapter.requirements) <= set(rows)
        if whole and row == chapter.requirements[0]:
            count = plural(len(chapter.requirements), "requirement")
            title = _wrapped(f"{chapter.title}: {count}", f"{chapter.id}  ", "  ")
            texts.append("\n".join(title) + "\n")
        texts.append(explanation(catalogue, checks, row, root))
    return "\n".join(texts)


def explanation(catalogue: Catalogue, checks: Sequence[Check], row: Requirement, root: Path) -> str:
    """Explain one requirement: promise, sources, level, versions, checks, deadlines."""
    lines = [*_wrapped(row.promise, f"{row.id}  ", " " * (len(row.id) + 2)), ""]
    lines += [f"level      {row.levels}", f"versions   {row.versions}"]
    lines += list(_needs(catalogue, row))
    lines += ["", "promised by"]
    lines += [line for source in row.source for line in _source(catalogue, source)]
    lines += ["", "observed", *_wrapped(row.observed, "  ", "  ")]
    lines += ["", "checked by", *_checks(_deciding(row.id, checks), root)]
    title = (
        "deadlines, in seconds (embedded platform with the reference operator / with another /"
        " elsewhere)"
    )
    lines += ["", *_wrapped(title, "", "  "), *_deadlines(row)]
    if row.known:
        lines += ["", "known of real versions", *_wrapped(row.known, "  ", "  ")]
    for known in catalogue.deviations:
        if known.requirement == row.id:
            lines += ["", "known deviation", *_known(known)]
    return "\n".join(lines) + "\n"


def finding(found: Finding, checks: Sequence[Check], root: Path) -> str:
    """Explain an error of the documentation: what it is, how it is shown, and by which checks."""
    lines = [*_wrapped(found.finding, f"{found.id}  ", " " * (len(found.id) + 2)), ""]
    lines += ["shown by", *_wrapped(found.shown, "  ", "  "), "", "checked by"]
    showing = _deciding(found.id, checks)
    lines += _checks(showing, root) if showing else ["  no check shows it yet"]
    return "\n".join(lines) + "\n"


def _findings(findings: Sequence[Finding], checks: Sequence[Check]) -> Iterator[str]:
    yield from _wrapped("Errors of the documentation; none is a verdict", "FINDING  ", "  ")
    for found in findings:
        yield from _wrapped(found.finding, f"  {found.id:<12}", " " * 14)
        for check in _deciding(found.id, checks):
            yield from _wrapped(f"{check.file.stem}::{check.name}", " " * 14, " " * 16)
        if not _deciding(found.id, checks):
            yield f"{'':14}no check shows it yet"


def _known(deviation: Deviation) -> Iterator[str]:
    often = ", not in every run" if deviation.sometimes else ""
    yield from _wrapped(f"{deviation.versions}{often}: {deviation.instead}", "  ", "  ")
    about = f"reference: {deviation.reference}; review by {deviation.review_by}"
    yield from _wrapped(about, "  ", "  ")


def _deciding(id_: str, checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if id_ in check.ids]


def _entry(row: Requirement, checks: Sequence[Check]) -> Iterator[str]:
    yield from _wrapped(row.promise, f"  {row.id:<12}", " " * 14)
    yield from _wrapped(f"{row.levels}, {row.versions}", " " * 14, " " * 14)
    for check in checks:
        yield from _wrapped(f"{check.file.stem}::{check.name}", " " * 14, " " * 16)
    if not checks:
        yield f"{'':14}no check yet"


def _needs(catalogue: Catalogue, row: Requirement) -> Iterator[str]:
    for condition in catalogue.conditions:
        if condition.id in row.needs:
            means = condition.means[0].lower() + condition.means[1:].rstrip(".")
            yield from _wrapped(means, "only where ", " " * 11)


def _source(catalogue: Catalogue, id_: str) -> Iterator[str]:
    source = next(entry for entry in catalogue.sources if entry.id == id_)
    place = f"{source.page}, {source.section}" if source.section != "correction" else source.page
    yield from _wrapped(f"{source.says} ({place})", f"  {source.id:<5} ", " " * 8)
    if source.link:
        yield f"{'':8}{source.link}"


def _checks(checks: Sequence[Check], root: Path) -> Iterator[str]:
    if not checks:
        yield from _wrapped("no check yet: it comes out as not tested", "  ", "  ")
    for check in checks:
        place = f"{check.file.relative_to(root)}:{check.line}"
        yield from _wrapped(f"{place} {check.name}", "  ", "    ")
        paragraphs = (_wrapped(text, "    ", "    ") for text in check.text.split("\n\n"))
        yield "\n\n".join("\n".join(lines) for lines in paragraphs)


def _deadlines(row: Requirement) -> Iterator[str]:
    for kind in DEADLINE_KINDS:
        if kind.name in row.deadlines:
            places = ((True, True), (True, False), (False, False))
            seconds = " / ".join(f"{kind.seconds(quick=q, reference=r):g}" for q, r in places)
            begin = f"  {kind.name:<20} {seconds}  "
            yield from _wrapped(f"until {kind.until}", begin, " " * 23)


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    """As wide as the terminal, but no wider than is good to read."""
    to = _descriptor()
    return wrapped(text, columns(to, most=_WIDEST), first, rest, breaks=bounded(to))


def _descriptor() -> int | None:
    try:
        return sys.stdout.fileno()
    except (OSError, ValueError):
        return None

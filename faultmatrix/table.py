"""The matrix in words: a line as each run ends, and a summary that ends with what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from faultmatrix.judging import Baseline, Kept, Outcome, Row
from faultmatrix.matrix import Entry, Matrix
from reference.faults.variant import Behaviour, Variant
from reports.terminal import style_of
from reports.text import plural
from reports.wrapping import cells


def opening(chosen: Sequence[Behaviour], jobs: int, reports: Path) -> str:
    """Return the line that announces the runs."""
    return (
        f"one run without a fault, then {_number(chosen)}, {jobs} at a time; reports in {reports}"
    )


def line(entry: Entry) -> str:
    """One line about a run that ended."""
    return _fitted(
        f"{_word(entry):<8} {entry.seconds:5.1f} s  {entry.name:<34}  {_short(entry)}".rstrip()
    )


def summary(matrix: Matrix) -> str:
    """The tables of all runs; then what went wrong, with where its report is; then counts.

    What went wrong comes late, for the end of a long output is what a person sees, and CI keeps.
    """
    blocks: list[str] = []
    if matrix.faults:
        blocks.append("\n".join(_table(matrix.faults)))
    if matrix.variants:
        blocks.append("\n".join(_table_of_variants(matrix.variants)))
    if idle := [entry for entry in matrix.entries if _idle(entry)]:
        blocks.append("\n".join(_warning(entry) for entry in idle))
    if matrix.bare:
        blocks.append(f"WITHOUT A FAULT  {', '.join(matrix.bare)}\n" + _BARE)
    blocks += ["\n".join(_explained(entry)) for entry in matrix.entries if not entry.seen.good]
    return _fitted("\n\n".join([*blocks, _counts(matrix)])) + "\n"


def listed(chosen: Sequence[Behaviour], bare: Sequence[str]) -> str:
    """Return the text of --list: each fault, what it breaks, who must notice; each variant."""
    lines = [line for each in chosen for line in _listed(each)]
    lines += [_number(chosen)]
    if bare:
        lines += [f"decided requirements without a fault: {', '.join(bare)}"]
    return _fitted("\n".join(lines)) + "\n"


_BARE = "  a check decides these; give each a fault, to show that the check can fail"


def _word(entry: Entry) -> str:
    seen = entry.seen
    if seen.broken:
        return "BROKEN"
    if isinstance(seen, Baseline | Kept):
        return "green" if seen.good else "NOT GREEN"
    if seen.missed:
        return "MISSED"
    return "BESIDES" if seen.unexpected else "caught"


def _short(entry: Entry) -> str:
    seen = entry.seen
    if seen.broken:
        return seen.broken
    if isinstance(seen, Baseline):
        return ", ".join(map(_named, seen.reds)) or f"{seen.green} requirements"
    if isinstance(seen, Kept):
        reds = ", ".join(map(_named, seen.reds)) or f"{seen.green} requirements"
        return reds + (f" besides {_ids(seen.besides)}" if seen.besides else "")
    parts = [
        ", ".join(row.requirement for row in seen.caught),
        "".join(f" missed {_named(row)}" for row in seen.missed),
        f" besides {_ids(seen.besides)}" if seen.besides else "",
        f" UNEXPECTED {', '.join(map(_named, seen.unexpected))}" if seen.unexpected else "",
    ]
    return "".join(parts).strip()


def _explained(entry: Entry) -> Iterator[str]:
    """A run that went wrong, as a person needs it."""
    seen = entry.seen
    yield f"{_word(entry)}  {entry.name}"
    if isinstance(seen, Outcome):
        yield from _wrapped("breaks", seen.fault.breaks)
        for row in seen.missed:
            yield from _wrapped(
                "missed", f"{row.requirement} must be {seen.fault.expects}, {_is(row)}"
            )
        for row in seen.unexpected:
            yield from _wrapped("besides", f"{row.requirement} should be green, {_is(row)}")
    else:
        if isinstance(seen, Kept):
            yield from _wrapped("differs", seen.variant.differs)
        for row in seen.reds:
            yield from _wrapped("red", f"{row.requirement} should be green, {_is(row)}")
    if seen.broken:
        yield from _wrapped("broken", seen.broken)
    yield f"  {'report':<9}{entry.report}"


def _name_column(entries: Sequence[Entry]) -> int:
    return max(34, *(len(entry.name) for entry in entries)) + 2


def _table(entries: Sequence[Entry]) -> Iterator[str]:
    width = max(
        (len(_ids(e.seen.caught)) for e in entries if isinstance(e.seen, Outcome)), default=0
    )
    width = max(width, len("caught by")) + 2
    column = _name_column(entries)
    yield f"{'fault':<{column}}{'caught by':<{width}}hit besides, as listed"
    for entry in sorted(entries, key=lambda each: each.seen.good):
        if not isinstance(entry.seen, Outcome):
            continue
        name, caught = entry.name, _ids(entry.seen.caught) or "-"
        for besides in list(_besides(entry.seen.besides)) or [""]:
            yield f"{name:<{column}}{caught:<{width}}{besides}".rstrip()
            name = caught = ""


def _table_of_variants(entries: Sequence[Entry]) -> Iterator[str]:
    column = _name_column(entries)
    yield f"{'variant':<{column}}{'passed':<8}differs besides, as listed"
    for entry in sorted(entries, key=lambda each: each.seen.good):
        if not isinstance(entry.seen, Kept):
            continue
        name, count = entry.name, str(entry.seen.green)
        for besides in list(_besides(entry.seen.besides)) or [""]:
            yield f"{name:<{column}}{count:<8}{besides}".rstrip()
            name = count = ""


def _besides(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each verdict and reason, with all that it is given for."""
    for (verdict, reason), alike in groupby(rows, key=lambda row: (row.verdict, row.reason)):
        yield f"{_ids(list(alike))} ({verdict}): {reason}"


def _warning(entry: Entry) -> str:
    idle = ", ".join(map(_named, _idle(entry)))
    return f"warning: {entry.name}: listed besides, but not hit: {idle}"


def _counts(matrix: Matrix) -> str:
    good = sum(entry.seen.good for entry in matrix.faults)
    kept = sum(entry.seen.good for entry in matrix.variants)
    base = "green" if matrix.baseline.seen.good else "NOT GREEN"
    parts = [
        f"{good} of {len(matrix.faults)} faults caught by what they break and by nothing else",
        f"{kept} of {len(matrix.variants)} variants of a kept contract passed",
        f"without a fault: {base}",
    ]
    shown = [matrix.faults or not matrix.variants, matrix.variants, True]
    said = "; ".join(part for part, show in zip(parts, shown, strict=True) if show)
    return f"{said}; {matrix.seconds:.0f} s"


def _number(chosen: Sequence[Behaviour]) -> str:
    variants = sum(isinstance(each, Variant) for each in chosen)
    faults = len(chosen) - variants
    counts = [plural(faults, "fault")] if faults or not variants else []
    counts += [plural(variants, "variant")] if variants else []
    return " and ".join(counts)


def _listed(behaviour: Behaviour) -> Iterator[str]:
    if isinstance(behaviour, Variant):
        yield f"{behaviour.name}  ({behaviour.where})"
        yield from _wrapped("differs", behaviour.differs)
        yield f"  {'expects':<9}passed"
        for hit in behaviour.differing:
            yield from _wrapped("besides", f"{hit.requirement}: {hit.reason}")
        return
    fault = behaviour
    yield f"{fault.name}  ({fault.where})"
    yield from _wrapped("breaks", fault.breaks)
    yield f"  {'caught':<9}{', '.join(fault.requirements)}, as {fault.expects}"
    for hit in fault.collateral:
        yield from _wrapped("besides", f"{hit.requirement}: {hit.reason}")
    if fault.versions:
        yield f"  {'known of':<9}{', '.join(fault.versions)}"


def _idle(entry: Entry) -> tuple[Row, ...]:
    seen = entry.seen
    return seen.idle if isinstance(seen, Outcome | Kept) and not seen.broken else ()


def _named(row: Row) -> str:
    return f"{row.requirement} ({row.verdict})"


def _ids(rows: Sequence[Row]) -> str:
    return ", ".join(row.requirement for row in rows)


def _is(row: Row) -> str:
    return f"is {row.verdict}" + (f": {row.reason}" if row.reason else "")


def _fitted(text: str) -> str:
    """Wrap the lines that are wider than the terminal; a pipe takes them as they are."""
    style = style_of(sys.stdout)
    if not style.breaks:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        fits = cells(line) <= style.width
        lines += [line] if fits else style.wrapped(line, indent, f"{indent}    ")
    return "\n".join(lines)


def _wrapped(word: str, text: str) -> Iterator[str]:
    return style_of(sys.stdout).wrapped(text, f"  {word:<9}", " " * 11)

"""Verdicts on several versions of an operator beside each other."""

from collections.abc import Mapping, Sequence

from reports.agree import differing
from reports.run import Run
from reports.text import one_line, plural
from reports.wrapping import cells, padded

_SEVERITY = (2, 4, 1, 3, 5, 6, 0)
"""Exit codes of runs, the one that all of them together end with first."""
_GAP = 2


def beside(runs: Mapping[str, Run | None]) -> str:
    """Return a table of the results by version, and of each requirement with different verdicts.

    None stands for a version whose run left no report.
    """
    reported = {version: run for version, run in runs.items() if run is not None}
    rows = [("version", *runs)]
    rows.append(("result", *(run.result if run else "no report" for run in runs.values())))
    known = differing([*reported.values()])
    for id_, verdicts in known:
        found = dict(zip(reported, verdicts, strict=True))
        rows.append((id_, *(found.get(version, ".") for version in runs)))
    lines = _columns([[one_line(cell.replace("-", " ")) for cell in row[1:]] for row in rows])
    heads = _columns([[row[0]] for row in rows])
    table = [f"{head}{line}".rstrip() for head, line in zip(heads, lines, strict=True)]
    count = max((len(run.requirements) for run in reported.values()), default=0)
    counted = f"{plural(len(runs), 'version')}, {plural(count, 'requirement')}"
    return "\n".join([*table, "", f"{counted}, {len(known)} with verdicts that differ", ""])


def exit_code_of_all(codes: Sequence[int]) -> int:
    """Return the exit code of several runs: that of the one that weighs most."""
    weights = {code: weight for weight, code in enumerate(_SEVERITY)}
    return min(codes, key=lambda code: weights.get(code, -1))


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(cells(cell) for cell in column) + _GAP for column in zip(*rows, strict=True)]
    return [
        "".join(padded(cell, width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]

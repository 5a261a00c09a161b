"""Say whether several runs came to the same verdicts: `python -m reports.agree report/1 report/2`.

A requirement whose verdict differs between runs of the same thing is a defect of the suite.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports.renderers import run_json
from reports.run import Run
from reports.text import show, unread

USAGE = 4


def differing(runs: Sequence[Run]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Requirements with more than one verdict, each with its verdict in every run."""
    verdicts = [{row.id: str(row.verdict) for row in run.requirements} for run in runs]
    ids = dict.fromkeys(id_ for each in verdicts for id_ in each)
    rows = ((id_, tuple(each.get(id_, "not selected") for each in verdicts)) for id_ in ids)
    return tuple((id_, found) for id_, found in rows if len(set(found)) > 1)


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m reports.agree") -> int:
    """Print what differs; 0 where nothing does, 1 where something does, 4 for wrong use."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("directories", nargs="+", type=Path, help="report directories")
    directories: list[Path] = parser.parse_args(arguments).directories
    try:
        runs = [run_json.read(directory / "run.json") for directory in directories]
    except (OSError, ValueError) as error:
        print(unread(error), file=sys.stderr)
        return USAGE
    found = differing(runs)
    rows = (f"{id_}: {', '.join(verdicts)}\n" for id_, verdicts in found)
    count = len(runs[0].requirements)
    show(
        f"{''.join(rows)}{len(runs)} runs, {count} requirements,"
        f" {len(found)} with verdicts that differ\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

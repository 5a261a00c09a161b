"""Say again what a run found, from its journal: `python -m reports report/`.

Also for a run that was killed, whose journal is all that it left. run.json, junit.xml and the other
files of the report are written anew beside the journal.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports import journal, terminal
from reports.renderers import write_report
from reports.text import show, unread
from reports.verdicts import INCONCLUSIVE, judge

USAGE = 4


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m reports") -> int:
    """Render a report directory and return the run's exit code, or 4 where there is no journal."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("directory", type=Path, help="the report directory of the run")
    directory: Path = parser.parse_args(arguments).directory
    try:
        run = judge(journal.read(directory / "journal.jsonl"))
    except (OSError, journal.JournalError) as error:
        print(unread(error), file=sys.stderr)
        return USAGE
    style = terminal.style_of(sys.stdout)
    show(terminal.render(run, style, str(directory)))
    try:
        write_report(run, directory)
    except OSError as error:
        print(f"the report could not be written: {error}", file=sys.stderr)
        return INCONCLUSIVE
    return run.exit_code


if __name__ == "__main__":
    sys.exit(main())

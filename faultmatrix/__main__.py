"""Show that the checks catch what they are there for, and only that: `python -m faultmatrix`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from embedded.tox import end_with_tox
from faultmatrix import machine, table
from faultmatrix.matrix import Entry, Matrix, Runner, without_fault
from faultmatrix.running import RunError, ask_listing
from reference.faults.fault import Fault
from reference.faults.registry import EVERYTHING, REGISTRY, parse
from reference.faults.variant import Behaviour, Variant

INTERRUPTED = 2
BROKEN = 3
WRONG_USE = 4
_KINDS: Mapping[str, tuple[type[Behaviour], ...]] = {
    "": (Fault, Variant),
    "faults": (Fault,),
    "variants": (Variant,),
}


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m faultmatrix") -> int:
    """Do what the command line says: 0 when all is well, 1 when a check was wrong."""
    options = _parser(prog).parse_args(arguments)
    try:
        named = _named(options)
        wrong = None if options.rerun_failed is None else machine.failed(options.rerun_failed)
    except ValueError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    chosen = tuple(each for each in named if wrong is None or each.name in wrong)
    try:
        return asyncio.run(_interruptible(options, named, chosen))
    except asyncio.CancelledError:
        print("interrupted: all runs were ended, and have cleaned up", file=sys.stderr)
        return INTERRUPTED
    except RunError as error:
        print(error, file=sys.stderr)
        return BROKEN
    except OSError as error:
        print(_told(error), file=sys.stderr)
        return BROKEN


def _named(options: argparse.Namespace) -> Sequence[Behaviour]:
    """Return the faults and variants that the command line names. Raises ValueError."""
    if options.jobs < 1:
        raise ValueError(f"--jobs: {options.jobs} is out of range; give 1 or more.")
    named = tuple(parse(",".join(options.names))) if options.names else EVERYTHING
    chosen = tuple(each for each in named if isinstance(each, _KINDS[options.only]))
    if not chosen:
        raise ValueError(f"--only {options.only}: none of those named is one.")
    return chosen


def _told(error: OSError) -> str:
    if error.filename is not None:
        return f"{error.filename} cannot be written: {error.strerror}"
    # No file of ours: a full disk or a closed pipe takes the output, or no program can be started.
    why = error.strerror or error
    return f"broken off: {why}; look at what takes standard output, and at the machine's limits"


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="only these faults and variants (default: all)"
    )
    parser.add_argument(
        "--only",
        choices=sorted(_KINDS.keys() - {""}),
        default="",
        help="the faults alone, or the variants alone, whose runs take a minute each",
    )
    parser.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="runs at a time (default: 2)"
    )
    parser.add_argument(
        "--list", action="store_true", help="show the faults and variants, and stop"
    )
    parser.add_argument(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="keep each fault's report below it (default: a temporary one, only of failures)",
    )
    parser.add_argument(
        "--rerun-failed",
        type=Path,
        metavar="FILE",
        help="of these only the ones that came out wrong in a matrix that --json wrote, and the "
        "run without a fault",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the matrix there")
    return parser


async def _interruptible(
    options: argparse.Namespace, named: Sequence[Behaviour], chosen: Sequence[Behaviour]
) -> int:
    """Let the first signal end all runs, which then clean up; later ones must not cut that off."""
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(_run(options, named, chosen))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # by nohup, for example
            loop.add_signal_handler(number, lambda: work.cancelling() or work.cancel())
    end_with_tox()
    return await work


async def _run(
    options: argparse.Namespace, named: Sequence[Behaviour], chosen: Sequence[Behaviour]
) -> int:
    listing = await ask_listing()
    bare = () if options.names else without_fault(listing, REGISTRY)
    if options.list:
        print(table.listed(chosen, bare), end="")
        return 0
    with _reports(options.report_dir) as reports:
        runner = Runner(
            listing=listing,
            reports=reports.absolute(),
            jobs=options.jobs,
            say=_say,
            keep=options.report_dir is not None,
        )
        print(table.opening(chosen, options.jobs, reports), flush=True)
        matrix = await runner.run(chosen, bare=bare, beside=named)
    return _conclude(matrix, options.json)


@contextmanager
def _reports(given: Path | None) -> Iterator[Path]:
    """The directory of the reports; a temporary one goes, unless there is something to read."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    made = Path(tempfile.mkdtemp(prefix="pgtls-faults-"))
    try:
        yield made
    finally:
        if not any(made.iterdir()):
            made.rmdir()


def _say(entry: Entry) -> None:
    print(table.line(entry), flush=True)


def _conclude(matrix: Matrix, file: Path | None) -> int:
    print("\n" + table.summary(matrix), end="")
    if file is not None:
        file.write_text(machine.render(matrix), encoding="utf-8")
    return 0 if matrix.good else 1


if __name__ == "__main__":
    sys.exit(main())

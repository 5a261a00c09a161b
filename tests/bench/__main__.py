"""Measure, print a table and write bench.json: ``python -m tests.bench``.

What is slow is marked; only what breaks ends with an exit code other than 0.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from embedded.box.launcher import EXIT_INTERRUPTED, stoppable
from embedded.tox import end_with_tox
from tests.bench import cluster, noticing, programs
from tests.bench.figures import BenchError, Figure, table, write
from tests.bench.ground import running_harness

_PARTS = ("cluster", "noticing", "starts", "suite")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; returns the exit code. A break ends it, not the table."""
    options = _parser().parse_args(arguments)
    figures: list[Figure] = []
    code = 0
    try:
        with stoppable():
            end_with_tox()
            for found in _measured(options.only or _PARTS, options.runs):
                figures += found
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        code = 1
    print(table(figures))
    write(figures, options.json)
    print(f"written: {options.json}")
    return code


def _measured(parts: Collection[str], runs: int) -> Iterator[list[Figure]]:
    on_platform = [module.figures for module in (cluster, noticing) if _name(module) in parts]
    if on_platform:
        with running_harness() as harness:
            for measure in on_platform:
                yield measure(harness, runs)
    if "starts" in parts:
        yield programs.starts(runs)
    if "suite" in parts:
        yield programs.suite(runs)


def _name(module: object) -> str:
    return str(getattr(module, "__name__", "")).rpartition(".")[2]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=_count, default=5, metavar="N", help="default: 5")
    parser.add_argument(
        "--only", action="append", choices=_PARTS, metavar="PART", help=", ".join(_PARTS)
    )
    parser.add_argument("--json", type=Path, default=Path("bench.json"), metavar="FILE")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count


if __name__ == "__main__":
    sys.exit(main())

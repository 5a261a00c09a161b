"""Measure, print a table and write bench.json: ``python -m tests.bench``.

What is slow is marked; only what breaks ends with an exit code other than 0.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.bench import cluster, noticing, programs
from tests.bench.figures import BenchError, Figure, table, write
from tests.bench.ground import standing

_PARTS = ("cluster", "noticing", "starts", "suite")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        figures = _measured(options.only or _PARTS, options.runs)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(table(figures))
    write(figures, options.json)
    print(f"written: {options.json}")
    return 0


def _measured(parts: Iterable[str], runs: int) -> list[Figure]:
    figures: list[Figure] = []
    on_platform = [module.figures for module in (cluster, noticing) if _name(module) in parts]
    if on_platform:
        with standing() as stand:
            for measure in on_platform:
                figures += measure(stand, runs)
    if "starts" in parts:
        figures += programs.starts(runs)
    if "suite" in parts:
        figures += programs.suite(runs)
    return figures


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

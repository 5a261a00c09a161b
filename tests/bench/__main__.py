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
from fixtures.kube.errors import KubeError
from fixtures.kube.waiting import WaitError
from fixtures.run.platform import PlatformError
from fixtures.run.usage import UsageError
from tests.bench import cluster, noticing, operators, programs, servers
from tests.bench.figures import BenchError, Figure, table, write
from tests.bench.ground import Subject, running_harness

_OWN = ("cluster", "noticing", "starts", "suite", "api")
_OF_SUBJECT = ("operator", "chapters")
_WRONG_USE = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; returns the exit code. A break ends it, not the table."""
    parser = _parser()
    options = parser.parse_args(arguments)
    subject = Subject(
        bundle=options.operator_bundle,
        version=options.operator_version,
        image_sources=options.image_source,
    )
    # The chapters take too long to be measured unasked.
    parts = options.only or (("operator",) if subject.named else _OWN)
    if not subject.named and (unnamed := [part for part in _OF_SUBJECT if part in parts]):
        parser.error(f"{unnamed[0]}: name the operator, by --operator-bundle or --operator-version")
    figures: list[Figure] = []
    code = 0
    try:
        with stoppable():
            end_with_tox()
            for found in _measured(parts, subject, options.runs, options.against):
                figures += found
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (BenchError, KubeError, PlatformError, UsageError, WaitError) as error:
        print(f"bench: {error}", file=sys.stderr)
        code = _WRONG_USE if isinstance(error, UsageError) else 1
    print(table(figures))
    write(figures, options.json)
    print(f"written: {options.json}")
    return code


def _measured(
    parts: Collection[str], subject: Subject, runs: int, against: Path | None
) -> Iterator[list[Figure]]:
    on_platform = [module.figures for module in (cluster, noticing) if _name(module) in parts]
    if on_platform:
        with running_harness() as harness:
            for measure in on_platform:
                yield measure(harness, runs)
    if "operator" in parts:
        with running_harness(subject) as harness:
            yield from operators.figures(harness, runs)
    if "api" in parts:
        yield servers.figures(runs, against)
    if "starts" in parts:
        yield programs.starts(runs)
    if "suite" in parts:
        yield programs.suite(runs)
    if "chapters" in parts:
        yield programs.chapters(subject, runs)


def _name(module: object) -> str:
    return str(getattr(module, "__name__", "")).rpartition(".")[2]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=_count, default=5, metavar="N", help="default: 5")
    parts = (*_OWN, *_OF_SUBJECT)
    parser.add_argument(
        "--only", action="append", choices=parts, metavar="PART", help=", ".join(parts)
    )
    parser.add_argument(
        "--operator-bundle",
        metavar="FILE|URL|DIR",
        help="measure this operator, as the suite takes it: part operator, and chapters if named",
    )
    parser.add_argument("--operator-version", metavar="VERSION", help="the same for a release")
    parser.add_argument(
        "--image-source", action="append", default=[], metavar="NAME=SOURCE", help="as the suite's"
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="KUBECONFIG",
        help="with part api: measure the API server of this machine that it leads to beside ours",
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

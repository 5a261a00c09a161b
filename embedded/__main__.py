"""A Kubernetes in a box, from the command line: `python -m embedded up`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from embedded.box.bundles import bundle
from embedded.box.launcher import EXIT_INTERRUPTED, EXIT_UNAVAILABLE, stoppable, up
from embedded.box.wish import Wish
from embedded.images import store
from embedded.images.cache import ImageError, cache_directory
from embedded.starter import follow_tox


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    options = _parser().parse_args(arguments)
    _let_speak(as_json=getattr(options, "json", False))
    run = {"up": _up, "images": _images, "bundle": _bundle}[options.command]
    return run(options)


class _Progress(logging.StreamHandler[TextIO]):
    """What goes on, as a line of JSON: errors alone are on standard error then."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"progress": record.getMessage()})


def _let_speak(*, as_json: bool) -> None:
    handler = _Progress(sys.stdout) if as_json else logging.StreamHandler(sys.stderr)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[handler])


class _Parser(argparse.ArgumentParser):
    """Ends wrong use with the exit code that tells whoever started us what it was."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_UNAVAILABLE, f"{self.prog}: {message}; see --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    faults = _Parser(add_help=False)
    faults.add_argument(
        "--faults", default="", metavar="A,B", help="breaches of the contract to commit"
    )
    start = commands.add_parser("up", parents=[faults], help="bring it up and keep it until Ctrl-C")
    start.add_argument("--log-dir", type=Path, metavar="DIR", help="where logs stay after the end")
    start.add_argument(
        "--json", action="store_true", help="say what is up, and take commands, as lines of JSON"
    )
    commands.add_parser("images", help="make the images that are missing in the cache")
    commands.add_parser("bundle", parents=[faults], help="print the reference operator's bundle")
    return parser


def _up(options: argparse.Namespace) -> int:
    faults = _faults(options)
    if faults is None:
        return EXIT_UNAVAILABLE
    if not options.json:  # who speaks JSON ends it by closing its input, or lets it live
        follow_tox()
    return up(Wish(faults=faults, log_dir=options.log_dir, speak_json=options.json))


def _images(_: argparse.Namespace) -> int:
    try:
        with stoppable():
            rules = store.rules(store.host_suite(), cache_directory())
    except ImageError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    for rule in rules:
        image = rule.image
        print(f"{rule.pattern}  {image.recipe} ({image.suite})  {image.digest}")
    return 0


def _bundle(options: argparse.Namespace) -> int:
    faults = _faults(options)
    if faults is None:
        return EXIT_UNAVAILABLE
    print(bundle(faults, cache_directory()), end="")
    return 0


def _faults(options: argparse.Namespace) -> tuple[str, ...] | None:
    """Check the names; None, with a word to the user, when one is unknown."""
    names = tuple(name.strip() for name in options.faults.split(",") if name.strip())
    if names:
        from reference.faults.registry import UnknownFaultError, parse

        try:
            parse(options.faults)
        except UnknownFaultError as error:
            print(f"--faults: {error}", file=sys.stderr)
            return None
    return names


if __name__ == "__main__":
    sys.exit(main())

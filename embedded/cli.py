"""Parts that the command lines of platforms share: options of `up`, messages, exit codes."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from embedded.box.errors import WrongUseError
from embedded.box.keeper import Lifetime
from embedded.box.launcher import EXIT_INTERRUPTED, EXIT_UNAVAILABLE, stoppable, up
from embedded.box.namespaces import UMASK
from embedded.box.specification import Specification
from embedded.images import store, table
from embedded.images.cache import ImageError, cache_directory
from embedded.images.listing import listing
from embedded.images.model import path_and_tag
from embedded.images.oci import source
from embedded.images.table import ImageTable, NamedSource
from embedded.images.tools import TOOLS
from embedded.tox import end_with_tox


class Parser(argparse.ArgumentParser):
    """A parser that ends wrong use with the exit code that says so to a calling program."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, in one line after the usage, and end."""
        self.print_usage(sys.stderr)
        self.exit(EXIT_UNAVAILABLE, f"{self.prog}: {message}; see --help\n")


def image_options() -> Parser:
    """Return a parent parser with the options that say where images are from."""
    parser = Parser(add_help=False)
    parser.add_argument(
        "--image-source",
        action="append",
        default=[],
        metavar="NAME=SOURCE",
        help="where the image for NAME is from, as embedded/README.md says; may be repeated",
    )
    return parser


def with_image_sources(images: ImageTable, given: Sequence[str]) -> ImageTable:
    """Return `images` with rows for the option's values before its own. Raises WrongUseError."""
    return table.with_sources(images, named_sources(given))


def named_sources(given: Sequence[str]) -> list[NamedSource]:
    """Read the option's values. Raises WrongUseError."""
    return [_named_source(text) for text in given]


def _named_source(text: str) -> NamedSource:
    name, equals, given = text.partition("=")
    if not name or not equals or not given:
        raise WrongUseError(f"--image-source {text}: is not a pair; write NAME=SOURCE")
    path, tag = path_and_tag(name)
    try:
        chosen = source.parse(given, Path.cwd())
    except source.InvalidSourceError as error:
        raise WrongUseError(f"--image-source {name}: {error}") from error
    has_tag = name.partition("@")[0].endswith(f":{tag}")
    return NamedSource(pattern=f"{path}:{tag}" if has_tag else path, source=chosen)


def up_options() -> Parser:
    """Return a parent parser with the options of every `up`."""
    parser = Parser(add_help=False)
    parser.add_argument("--log-dir", type=Path, metavar="DIR", help="where logs stay after the end")
    parser.add_argument(
        "--json", action="store_true", help="say what is up, and take commands, as lines of JSON"
    )
    parser.add_argument(
        "--node-lease-seconds",
        type=_seconds,
        default=40.0,
        metavar="SECONDS",
        help="how long the node may give no sign of life before it is NotReady (%(default)g)",
    )
    parser.add_argument(
        "--starter",
        type=int,
        metavar="PID",
        help="end with this process, which must be the parent, in whatever way it ends",
    )
    parser.add_argument("--outlive-starter", action="store_true", help="but only while it comes up")
    return parser


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 1 <= number <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds from 1 to 3600")
    return number


def lifetime(options: argparse.Namespace) -> Lifetime:
    """Return whom a platform with these options of `up` ends with."""
    return Lifetime(
        starter=options.starter, only_until_up=options.outlive_starter, by_input=options.json
    )


def log_progress(*, as_json: bool) -> None:
    """Show progress: on standard error, or as lines of JSON on standard output."""
    handler = _JsonProgress(sys.stdout) if as_json else logging.StreamHandler(sys.stderr)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", handlers=[handler]
    )


class _JsonProgress(logging.StreamHandler[TextIO]):
    """Progress as lines of JSON: standard error then has errors alone."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"progress": record.getMessage()})


def run_up(specification: Specification) -> int:
    """Bring a platform up and keep it; returns the exit code."""
    # Who speaks JSON ends it by closing its input, or lets it live.
    if not specification.speak_json:
        end_with_tox()
    return up(specification)


def list_option() -> Parser:
    """Return a parent parser with the option of every `images`."""
    parser = Parser(add_help=False)
    parser.add_argument(
        "--list",
        action="store_true",
        help="make nothing: say what is there, what stands in, and what the cache holds besides",
    )
    return parser


def list_images(images: ImageTable) -> int:
    """Say what there is for each row of the table, and in the cache; returns the exit code."""
    try:
        release = store.host_release()
        for line in listing(images(release), release, cache_directory()):
            print(line)
    except ImageError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    return 0


def run_images(images: ImageTable) -> int:
    """Make the images that are missing in the cache, and list them; returns the exit code."""
    os.umask(UMASK)
    try:
        with stoppable():
            release, directory = store.host_release(), cache_directory()
            store.ensure(TOOLS, release, directory)
            rules = table.build(images(release), release, directory)
    except ImageError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    for rule in rules:
        image = rule.image
        origin = f"{image.recipe} ({image.release})" if image.release else image.recipe
        print(f"{rule.pattern}  {origin}  {image.digest}")
    return 0

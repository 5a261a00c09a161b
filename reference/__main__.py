"""The embedded platform with the reference operator: `python -m reference up`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from embedded import cli
from embedded.box.errors import WrongUseError
from embedded.box.launcher import EXIT_UNAVAILABLE
from embedded.box.specification import Program, Specification
from embedded.images.cache import cache_directory
from embedded.images.table import ImageTable, with_sources
from reference.bundles import bundle
from reference.faults import Behaviour, Variant
from reference.images.standins import stand_ins
from reference.images.subject import subject_images
from reference.images.table import images, images_with_another_postgresql


def main(arguments: Sequence[str] | None = None) -> int:
    """Follow the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    cli.log_progress(as_json=getattr(options, "json", False))
    run = {"up": _up, "images": _images, "bundle": _bundle}[options.command]
    try:
        return run(options)
    except WrongUseError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE


def _parser() -> argparse.ArgumentParser:
    parser = cli.Parser(prog="python -m reference", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    faults = cli.Parser(add_help=False)
    faults.add_argument(
        "--faults", default="", metavar="A,B", help="breaches of the contract to commit"
    )
    sources = cli.image_options()
    sources.add_argument(
        "--subject-image",
        action="append",
        default=[],
        metavar="IMAGE",
        help="an image that another operator runs, in place of the reference operator's: from"
        " where --image-source says, else a recipe's or a registry's; may be repeated",
    )
    commands.add_parser(
        "up",
        parents=[faults, sources, cli.up_options()],
        help="bring it up and keep it until Ctrl-C",
    )
    commands.add_parser(
        "images",
        parents=[sources, cli.list_option()],
        help="make the images that are missing in the cache",
    )
    commands.add_parser("bundle", parents=[faults], help="print the reference operator's bundle")
    return parser


def _up(options: argparse.Namespace) -> int:
    faults = _faults(options)
    if faults is None:
        return EXIT_UNAVAILABLE
    specification = Specification(
        images=_table(options, faults),
        bundle=partial(bundle, faults, cache_directory()),
        node=_node(faults),
        log_dir=options.log_dir,
        lifetime=cli.lifetime(options),
        speak_json=options.json,
        node_lease_seconds=options.node_lease_seconds,
    )
    return cli.run_up(specification)


def _table(options: argparse.Namespace, faults: Sequence[Behaviour] = ()) -> ImageTable:
    named = cli.named_sources(options.image_source)
    if options.subject_image:
        return subject_images(options.subject_image, named)
    other = any(isinstance(each, Variant) and each.other_postgresql for each in faults)
    return with_sources(images_with_another_postgresql if other else images, named, stand_ins)


def _node(faults: Sequence[Behaviour]) -> Program:
    names = ",".join(fault.name for fault in faults if fault.where == "node")
    if not names:
        return Program(module="embedded.node")
    return Program(module="reference.faults.node", arguments=("--faults", names))


def _images(options: argparse.Namespace) -> int:
    table = _table(options)
    return cli.list_images(table) if options.list else cli.run_images(table)


def _bundle(options: argparse.Namespace) -> int:
    faults = _faults(options)
    if faults is None:
        return EXIT_UNAVAILABLE
    print(bundle(faults, cache_directory()), end="")
    return 0


def _faults(options: argparse.Namespace) -> tuple[Behaviour, ...] | None:
    """Return the faults that are named; None, with a word to the user, when one is unknown."""
    if not options.faults:
        return ()
    # Only now: all faults are loaded with it.
    from reference.faults.registry import UnknownFaultError, parse

    try:
        return parse(options.faults)
    except UnknownFaultError as error:
        print(f"--faults: {error}", file=sys.stderr)
        return None


if __name__ == "__main__":
    sys.exit(main())

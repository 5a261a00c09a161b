"""A Kubernetes in a box, from the command line: `python -m embedded up`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from embedded import cli
from embedded.box.errors import WrongUseError
from embedded.box.launcher import EXIT_UNAVAILABLE
from embedded.box.specification import Specification
from embedded.images.table import ImageTable, no_images


def main(arguments: Sequence[str] | None = None) -> int:
    """Follow the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    cli.log_progress(as_json=getattr(options, "json", False))
    try:
        images = cli.with_image_sources(_images(options.images), options.image_source)
        if options.command == "images":
            return cli.list_images(images) if options.list else cli.run_images(images)
        specification = Specification(
            images=images,
            bundle=_bundle(options.bundle),
            log_dir=options.log_dir,
            lifetime=cli.lifetime(options),
            speak_json=options.json,
            node_lease_seconds=options.node_lease_seconds,
        )
    except WrongUseError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    return cli.run_up(specification)


def _parser() -> argparse.ArgumentParser:
    parser = cli.Parser(prog="python -m embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    images = cli.Parser(add_help=False, parents=[cli.image_options()])
    images.add_argument(
        "--images",
        type=Path,
        metavar="FILE",
        help="images for Pods, as embedded/README.md says",
    )
    up = commands.add_parser(
        "up", parents=[images, cli.up_options()], help="bring it up and keep it until Ctrl-C"
    )
    up.add_argument(
        "--bundle", type=Path, metavar="FILE", help="manifests that the user may then install"
    )
    commands.add_parser(
        "images",
        parents=[images, cli.list_option()],
        help="make the images that are missing in the cache",
    )
    return parser


def _images(file: Path | None) -> ImageTable:
    if file is None:
        return no_images
    # Only now: to read and check a file of images takes longer than all the rest of the start.
    from embedded.images.file import ImageFileError, load

    try:
        return load(file)
    except ImageFileError as error:
        raise WrongUseError(f"--images {error}") from error


def _bundle(file: Path | None) -> Callable[[], str] | None:
    if file is None:
        return None
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise WrongUseError(f"--bundle {file}: cannot be read: {reason}; name another") from error
    return lambda: text


if __name__ == "__main__":
    sys.exit(main())

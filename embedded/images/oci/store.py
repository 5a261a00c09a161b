"""Images of files and registries: taken from the cache, unpacked where they are missing."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from embedded.images import cache, owners
from embedded.images.builder import MOUNT_POINTS, aside
from embedded.images.cache import ImageError
from embedded.images.model import Image, ImageConfig
from embedded.images.oci.archive import Saved, archive_of
from embedded.images.oci.blobs import Budget, Checked, plain
from embedded.images.oci.defaults import config_of
from embedded.images.oci.directory import Snapshot
from embedded.images.oci.found import Contents, FoundImage, LayerBlob
from embedded.images.oci.layout import Directory, Layout
from embedded.images.oci.source import FileSource, Transport
from embedded.images.oci.tree import Tree
from embedded.images.oci.unpack import Unpacker

_log = logging.getLogger(__name__)

# To be raised when an image is unpacked to something else.
FORMAT = 3
_CONFIG = "config.json"
_EMPTY_FILES = ("etc/hosts", "etc/hostname", "etc/resolv.conf")


def ensure(source: FileSource, directory: Path) -> Image:
    """Return the image of `source`, unpacked first if `directory` does not hold it.

    Raises ImageError.
    """
    what = f"images: {source}"
    with _opened(source, what) as contents:
        return keep(contents, str(source), directory)


def holds(digest: str, directory: Path) -> bool:
    """Say whether `directory` holds an image."""
    return target_of(digest, directory).exists()


def keep(contents: Contents, source: str, directory: Path) -> Image:
    """Return the image that `contents` holds, unpacked first if `directory` does not hold it.

    Raises ImageError.
    """
    found = contents.find()
    target = target_of(found.digest, directory)
    if not target.exists():
        with cache.building(directory):
            if not target.exists():
                _unpack(contents, found, source, target)
    return kept(found.digest, source, directory, found.indexes)


def kept(digest: str, source: str, directory: Path, indexes: Sequence[str] = ()) -> Image:
    """Return an image that `directory` holds. Raises ImageError where it does not."""
    target = target_of(digest, directory)
    cache.used(target)
    try:
        config = _config(json.loads((target / _CONFIG).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ImageError(f"images: {target}: {error}; remove it") from error
    return Image(
        recipe=source,
        release="",
        digest=digest,
        layers=(target / "root",),
        config=config,
        indexes=tuple(indexes),
    )


def target_of(digest: str, directory: Path) -> Path:
    """Return where the image of a digest is, or would be."""
    owned = "-owned" if owners.several() else ""
    return directory / f"oci-{FORMAT}{owned}-{digest.removeprefix('sha256:')}"


def _config(fields: dict[str, Any]) -> ImageConfig:
    words = {name: tuple(fields[name]) for name in ("entrypoint", "command")}
    return ImageConfig(**(fields | words))


@contextmanager
def _opened(source: FileSource, what: str) -> Iterator[Contents]:
    if not source.path.exists():
        raise ImageError(f"{what}: there is no {source.path}; name what is there")
    folder = source.transport in {Transport.DIRECTORY, Transport.OCI_LAYOUT}
    if folder != source.path.is_dir():
        raise ImageError(f"{what}: {source.path} is {'no' if folder else 'a'} directory")
    match source.transport:
        case Transport.DIRECTORY:
            yield Snapshot(source.path, what)
        case Transport.OCI_LAYOUT:
            yield Layout(Directory(source.path), source.name, what)
        case Transport.OCI_ARCHIVE:
            with archive_of(source.path, what) as archive:
                yield Layout(archive, source.name, what)
        case Transport.DOCKER_ARCHIVE:
            with archive_of(source.path, what) as archive:
                yield Saved(archive, source.name, what)


def _unpack(contents: Contents, found: FoundImage, source: str, target: Path) -> None:
    what = f"images: {source}"
    _log.info("%s: unpacking %d layers, once", what, len(found.layers))
    with aside(target, source) as work:
        root = work / "root"
        root.mkdir()
        tree = Tree(root, what)
        try:
            unpacker = Unpacker(tree, budget := Budget())
            for number, layer in enumerate(found.layers):
                _lay(contents, found, number, unpacker, budget, f"{what}: layer {layer.place}")
            config = config_of(found.configuration.config, tree, what)
            _furnish(tree, what)
        finally:
            tree.close()
        (work / _CONFIG).write_text(json.dumps(asdict(config)))
    left_out = [f"{count} {what}" for what, count in unpacker.left_out.items()]
    if left_out:
        _log.info("%s: left out, as a container here has no use of them: %s", what, left_out)


def _lay(
    contents: Contents,
    found: FoundImage,
    number: int,
    unpacker: Unpacker,
    budget: Budget,
    what: str,
) -> None:
    layer: LayerBlob = found.layers[number]
    diff_id = found.configuration.rootfs.diff_ids[number]
    with contents.open(layer) as file:
        blob = Checked(file, layer.digest, what, size=layer.size) if layer.digest else None
        with plain(blob or file, what) as stream:
            _apply(Checked(stream, diff_id, what, budget=budget), unpacker, what)
        if blob is not None:
            blob.check()


def _apply(layer: Checked, unpacker: Unpacker, what: str) -> None:
    try:
        unpacker.apply(layer, what)
    except ImageError as error:
        wrong = error
    else:
        layer.check()
        return
    # What is wrong with an archive is best said by its digest, where that is wrong too.
    layer.check()
    raise wrong


def _furnish(tree: Tree, what: str) -> None:
    """Make what containers have mounted over, where the image lacks it."""
    for path in MOUNT_POINTS:
        try:
            with tree.directory(path, make=True):
                pass
        except OSError as error:
            raise ImageError(
                f"{what}: /{path}: {error.strerror}; it must be a directory"
            ) from error
    with tree.directory("etc") as (etc, _):
        for path in _EMPTY_FILES:
            name = path.removeprefix("etc/")
            try:
                os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644, dir_fd=etc))
            except FileExistsError:
                continue

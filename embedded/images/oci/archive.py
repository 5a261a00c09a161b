"""Tar archives with images in them: of OCI layouts, and what `docker save` writes."""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import TypeAdapter, ValidationError

from embedded.images.cache import ImageError
from embedded.images.oci import reference
from embedded.images.oci.blobs import Budget, plain, read_whole
from embedded.images.oci.documents import SavedImage
from embedded.images.oci.found import FoundImage, LayerBlob, check_layers, read_configuration
from embedded.images.oci.layout import Folder, ambiguous, read_document
from embedded.images.oci.reference import InvalidReferenceError
from embedded.images.oci.unpack import BoundedTarInfo, TooLargeError

_SAVED = "manifest.json"
_CONFIGURATION = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")
_MOST_MEMBERS = 5_000
_LINKS = 8
_CHUNK = 1 << 20


class Archive:
    """The regular files of a tar archive, by their paths."""

    def __init__(self, archive: tarfile.TarFile, what: str) -> None:
        self._archive = archive
        self._members: dict[str, tarfile.TarInfo] = {}
        try:
            while (member := archive.next()) is not None:
                self._members[posixpath.normpath(member.name)] = member
                if len(self._members) > _MOST_MEMBERS:
                    raise ImageError(f"{what}: holds more than {_MOST_MEMBERS} files; not used")
        except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
            raise ImageError(f"{what}: is cut off or damaged: {error}") from error
        except TooLargeError as error:
            raise ImageError(f"{what}: holds {error}; not used") from error

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Open a regular file. Raises FileNotFoundError."""
        # Old versions of Docker link layers that several images have.
        for _ in range(_LINKS):
            member = self._members.get(posixpath.normpath(path))
            if member is None:
                break
            if member.isreg() and not member.issparse():
                return cast(BinaryIO, self._archive.extractfile(member))
            if not member.issym() and not member.islnk():
                break
            beside = posixpath.dirname(path) if member.issym() else ""
            path = posixpath.join(beside, member.linkname)
        raise FileNotFoundError(path)


@contextmanager
def archive_of(path: Path, what: str) -> Iterator[Archive]:
    """Give the files of the archive at `path`, which may be compressed. Raises ImageError."""
    try:
        with (
            path.open("rb") as file,
            _seekable(file, what) as plain_file,
            tarfile.open(fileobj=plain_file, mode="r:", tarinfo=BoundedTarInfo) as archive,
        ):
            yield Archive(archive, what)
    except tarfile.TarError as error:
        raise ImageError(f"{what}: is no tar archive: {error}") from error
    except TooLargeError as error:
        raise ImageError(f"{what}: holds {error}; not used") from error
    except OSError as error:
        raise ImageError(f"{what}: cannot be read: {error.strerror or error}") from error


@contextmanager
def _seekable(file: BinaryIO, what: str) -> Iterator[BinaryIO]:
    start = file.read(4)
    file.seek(0)
    if not start.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        yield file
        return
    # Not in memory: what it unpacks to may be more than fits there.
    budget = Budget()
    with tempfile.TemporaryFile() as unpacked:
        with plain(cast(io.RawIOBase, file), what) as stream:
            while block := stream.read(_CHUNK):
                budget.spend_bytes(len(block), what)
                unpacked.write(block)
        unpacked.seek(0)
        yield cast(BinaryIO, unpacked)


class Saved:
    """An image of what `docker save` wrote: the one called `name`, or the only one."""

    def __init__(self, folder: Folder, name: str | None, what: str) -> None:
        self._folder = folder
        self._name = name
        self._what = what

    def find(self) -> FoundImage:
        """Return the image. Raises ImageError."""
        content = read_document(
            self._folder, _SAVED, self._what, "is nothing that `docker save` wrote"
        )
        try:
            images = TypeAdapter(tuple[SavedImage, ...]).validate_json(content)
        except ValidationError as error:
            text = error.errors()[0]["msg"]
            raise ImageError(f"{self._what}: {_SAVED}: {text}") from error
        chosen = self._chosen(images)
        digest = _CONFIGURATION.fullmatch(chosen.config)
        if digest is None:
            text = f"{chosen.config[:80]!r} is no name of a configuration"
            raise ImageError(f"{self._what}: {_SAVED}: {text}")
        content = self._configuration(chosen.config, f"sha256:{digest[1]}")
        configuration = read_configuration(content, self._what)
        layers = tuple(LayerBlob(place=path, digest=None, size=None) for path in chosen.layers)
        check_layers(layers, configuration, self._what)
        return FoundImage(digest=f"sha256:{digest[1]}", configuration=configuration, layers=layers)

    def open(self, layer: LayerBlob) -> AbstractContextManager[BinaryIO]:
        """Open a layer. Raises ImageError."""
        try:
            return self._folder.open(layer.place)
        except FileNotFoundError as error:
            text = f"{self._what}: is incomplete: the layer {layer.place[:100]!r} is missing"
            raise ImageError(f"{text}; write it once more") from error

    def _configuration(self, path: str, digest: str) -> bytes:
        content = read_document(self._folder, path, self._what, "is incomplete")
        size = len(content)
        return read_whole(
            io.BytesIO(content), digest, f"{self._what}: {path}", size=size, most=size
        )

    def _chosen(self, images: Sequence[SavedImage]) -> SavedImage:
        names = [name for one in images for name in one.repo_tags]
        if self._name is None:
            if len(images) == 1:
                return images[0]
            raise ambiguous(self._what, names)
        for one in images:
            if self._name in {*one.repo_tags} or _same(self._name, one.repo_tags):
                return one
        raise ambiguous(self._what, names, self._name)


def _same(name: str, tags: Sequence[str]) -> bool:
    try:
        wanted = reference.parse(name)
        return any(reference.parse(tag) == wanted for tag in tags)
    except InvalidReferenceError:
        return False

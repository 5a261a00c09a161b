"""Images in OCI layouts: directories, and tar archives of such directories.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from embedded.images.cache import ImageError
from embedded.images.oci.blobs import read_whole
from embedded.images.oci.documents import LARGEST, Descriptor, Index, read
from embedded.images.oci.found import FoundImage, LayerBlob, follow

_NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")
_INDEX = "index.json"


class Folder(Protocol):
    """Files by their paths: a directory, or an archive of one."""

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Open a regular file. Raises FileNotFoundError, other OSErrors."""


class Directory:
    """A directory of the machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Open a regular file. Raises FileNotFoundError, other OSErrors."""
        file = self._path / path
        if file.exists() and not file.is_file():
            raise FileNotFoundError(path)
        return file.open("rb")


class Layout:
    """An image of an OCI layout: the one called `name`, or the only one."""

    def __init__(self, folder: Folder, name: str | None, what: str) -> None:
        self._folder = folder
        self._name = name
        self._what = what

    def find(self) -> FoundImage:
        """Return the image. Raises ImageError."""
        content = read_document(self._folder, _INDEX, self._what, "is no OCI layout")
        index = read(Index, content, f"{self._what}: {_INDEX}")
        return follow(self._chosen(index.manifests), self._fetch, self._what)

    def open(self, layer: LayerBlob) -> AbstractContextManager[BinaryIO]:
        """Open a layer. Raises ImageError, OSError."""
        return _open(self._folder, layer.place, self._what)

    def _fetch(self, descriptor: Descriptor) -> bytes:
        what = f"{self._what}: {descriptor.digest}"
        with _open(self._folder, descriptor.digest, self._what) as file:
            return read_whole(file, descriptor.digest, what, size=descriptor.size, most=LARGEST)

    def _chosen(self, manifests: Sequence[Descriptor]) -> Descriptor:
        if self._name is None:
            if len(manifests) == 1:
                return manifests[0]
            raise ambiguous(self._what, [name for one in manifests for name in _names(one)])
        for one in manifests:
            if self._name in _names(one) or self._name == one.digest:
                return one
        raise ambiguous(self._what, [name for one in manifests for name in _names(one)], self._name)


def ambiguous(what: str, names: Sequence[str], wanted: str | None = None) -> ImageError:
    """Return the error where a name is needed, or another one than `wanted`."""
    wrong = f"no image is called {wanted!r}" if wanted else "several images, or none"
    there = ", ".join(sorted(set(names)))[:300] or "none has a name"
    return ImageError(f"{what}: {wrong}; write one after a colon: {there}")


def read_document(folder: Folder, path: str, what: str, without: str) -> bytes:
    """Read a small file; `without` says what the whole is not without it. Raises ImageError."""
    try:
        with folder.open(path) as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise ImageError(f"{what}: {without}: there is no {path} in it") from error
    except OSError as error:
        raise ImageError(f"{what}: {path}: cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise ImageError(f"{what}: {path} has more than the {LARGEST} bytes that it may have")
    return content


def _open(folder: Folder, digest: str, what: str) -> AbstractContextManager[BinaryIO]:
    algorithm, _, value = digest.partition(":")
    try:
        return folder.open(f"blobs/{algorithm}/{value}")
    except FileNotFoundError as error:
        text = f"{what}: is incomplete: the blob {digest} is missing"
        raise ImageError(f"{text}; fetch or write it once more") from error
    except OSError as error:
        raise ImageError(f"{what}: {digest}: cannot be read: {error.strerror}") from error


def _names(descriptor: Descriptor) -> list[str]:
    return [descriptor.annotations[key] for key in _NAMES if key in descriptor.annotations]

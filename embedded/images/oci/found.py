"""Images as they are found: what one consists of, and the way from an index to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from embedded.architecture import architecture
from embedded.images.cache import ImageError
from embedded.images.oci.documents import (
    INDEX_TYPES,
    LARGEST,
    Configuration,
    Descriptor,
    Index,
    Manifest,
    Platform,
    read,
)

_OS = "linux"
_DEEPEST_INDEX = 3


@dataclass(frozen=True, kw_only=True)
class LayerBlob:
    """A layer. `place` says where it lies; `digest` and `size` are of the blob as it lies there.

    Both are None where only the digest of the plain tar archive is known.
    """

    place: str
    digest: str | None
    size: int | None


@dataclass(frozen=True, kw_only=True)
class FoundImage:
    """An image for this machine. `digest` is its manifest's, or its configuration's without one.

    `indexes` are the digests of the indexes that led to it.
    """

    digest: str
    configuration: Configuration
    layers: tuple[LayerBlob, ...]
    indexes: tuple[str, ...] = ()


class Contents(Protocol):
    """A place from which the blobs of one image can be had."""

    def find(self) -> FoundImage:
        """Return the image. Raises ImageError."""

    def open(self, layer: LayerBlob) -> AbstractContextManager[BinaryIO]:
        """Open a layer. Raises ImageError, OSError."""


Fetch = Callable[[Descriptor], bytes]
"""Returns the document of a descriptor, held to its digest and size. Raises ImageError."""


def follow(start: Descriptor, fetch: Fetch, what: str) -> FoundImage:
    """Follow a descriptor, of an index perhaps, to the image for this machine.

    `what` begins an error's line. Raises ImageError.
    """
    descriptor = start
    content = fetch(descriptor)
    indexes = []
    for _ in range(_DEEPEST_INDEX):
        if not _is_index(descriptor, content):
            break
        index = read(Index, content, f"{what}: index {descriptor.digest}")
        indexes.append(descriptor.digest)
        descriptor = _for_this_machine(index.manifests, what)
        content = fetch(descriptor)
    manifest = read(Manifest, content, f"{what}: manifest {descriptor.digest}")
    configuration = read_configuration(fetch(manifest.config), what)
    layers = tuple(
        LayerBlob(place=layer.digest, digest=layer.digest, size=layer.size)
        for layer in manifest.layers
    )
    check_layers(layers, configuration, what)
    return FoundImage(
        digest=descriptor.digest,
        configuration=configuration,
        layers=layers,
        indexes=tuple(indexes),
    )


def read_configuration(content: bytes, what: str) -> Configuration:
    """Read the configuration of an image that this machine can run. Raises ImageError."""
    configuration = read(Configuration, content, f"{what}: configuration")
    if not _fits(configuration):
        raise _unfit([configuration], what)
    return configuration


def check_layers(layers: Sequence[object], configuration: Configuration, what: str) -> None:
    """Raise ImageError where the configuration is not of these layers."""
    wanted = len(configuration.rootfs.diff_ids)
    if len(layers) != wanted:
        text = f"has {len(layers)} layers, and a configuration of {wanted}"
        raise ImageError(f"{what}: is damaged: it {text}")


def too_large(what: str, size: int) -> ImageError:
    """Return the error for a document that is too large."""
    return ImageError(f"{what}: a document of {size} bytes is more than the {LARGEST} there may be")


def _is_index(descriptor: Descriptor, content: bytes) -> bool:
    if descriptor.media_type:
        return descriptor.media_type in INDEX_TYPES
    return b'"manifests"' in content


def _for_this_machine(manifests: Sequence[Descriptor], what: str) -> Descriptor:
    for one in manifests:
        if one.platform is not None and _fits(one.platform):
            return one
    if len(manifests) == 1 and manifests[0].platform is None:
        return manifests[0]
    raise _unfit([one.platform for one in manifests if one.platform], what)


def _fits(platform: Platform) -> bool:
    return (platform.os or _OS) == _OS and platform.architecture == architecture()


def _unfit(platforms: Sequence[Platform], what: str) -> ImageError:
    names = sorted(
        {f"{one.os or _OS}/{one.architecture}" for one in platforms} - {"unknown/unknown"}
    )
    there = ", ".join(names)[:300] or "no platform that it names"
    here = f"{_OS}/{architecture()}"
    return ImageError(f"{what}: is for {there}; this machine is {here}: name an image for it")

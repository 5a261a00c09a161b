"""Sources of images, as users name them: `oci-archive:operator.tar`, `recipe`, a reference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from embedded.images.oci import reference
from embedded.images.oci.reference import InvalidReferenceError, Reference


class InvalidSourceError(ValueError):
    """A text names no source of an image; it says what is wrong with it, and what to write."""


class Transport(Enum):
    """The kinds of files that hold images, by the word that names them."""

    DOCKER_ARCHIVE = "docker-archive"
    OCI_ARCHIVE = "oci-archive"
    OCI_LAYOUT = "oci"
    DIRECTORY = "dir"


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """A file or directory that holds images; `name` says which one, where there are several."""

    transport: Transport
    path: Path
    name: str | None = None

    def __str__(self) -> str:
        name = f":{self.name}" if self.name else ""
        return f"{self.transport.value}:{self.path}{name}"


@dataclass(frozen=True, kw_only=True)
class RegistrySource:
    """A registry."""

    reference: Reference

    def __str__(self) -> str:
        return f"docker://{self.reference}"


@dataclass(frozen=True, kw_only=True)
class RecipeSource:
    """A recipe of the image table: that of the row for the same image, or the one named `name`."""

    name: str | None = None

    def __str__(self) -> str:
        return f"recipe:{self.name}" if self.name else "recipe"


Source = FileSource | RegistrySource | RecipeSource

_REGISTRY = "docker://"
_RECIPE = "recipe"
_FILES = {transport.value: transport for transport in Transport}


def parse(text: str, folder: Path) -> Source:
    """Read a source; relative paths start at `folder`. Raises InvalidSourceError."""
    if text == _RECIPE:
        return RecipeSource()
    word, colon, rest = text.partition(":")
    if colon and word == _RECIPE:
        return RecipeSource(name=_given(text, rest, "a recipe's name"))
    if colon and word in _FILES:
        path, _, name = rest.partition(":")
        _given(text, path, "a path")
        at = folder / Path(path).expanduser()
        if name and _FILES[word] is Transport.DIRECTORY:
            raise InvalidSourceError(f"{text!r}: a directory holds one image; leave out {name!r}")
        return FileSource(transport=_FILES[word], path=at, name=name or None)
    try:
        return RegistrySource(reference=reference.parse(text.removeprefix(_REGISTRY)))
    except InvalidReferenceError as error:
        kinds = ", ".join(f"{word}:" for word in _FILES)
        message = f"{error}; write {kinds} and a path, recipe, or a reference"
        raise InvalidSourceError(message) from error


def _given(text: str, part: str, what: str) -> str:
    if not part:
        raise InvalidSourceError(f"{text!r} lacks {what} after the colon")
    return part

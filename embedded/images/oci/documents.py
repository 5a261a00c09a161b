"""The JSON documents of images, as https://github.com/opencontainers/image-spec lays them down.

Docker's own (manifest version 2, schema 2) have the same fields. What an image's maker may write
and nobody here reads is left out.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from embedded.images.cache import ImageError

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
LARGEST = 4 * 1024 * 1024
"""Bytes of a document at most, as containerd and registries have it."""
_MOST_LAYERS = 512

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


def _none_is_empty(default: type) -> BeforeValidator:
    # Go writes null for what is empty.
    return BeforeValidator(lambda value: default() if value is None else value)


_Words = Annotated[tuple[str, ...], _none_is_empty(tuple)]
_Texts = Annotated[dict[str, str], _none_is_empty(dict)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Platform(_Document):
    """The system that an image is for, in Go's words."""

    os: str = ""
    architecture: str = ""


class Descriptor(_Document):
    """A reference to a blob by its digest."""

    media_type: Annotated[str, Field(alias="mediaType")] = ""
    digest: Digest
    size: Annotated[int, Field(ge=0)]
    platform: Platform | None = None
    annotations: _Texts = Field(default_factory=dict)


class Index(_Document):
    """Manifests for several platforms, or of several images."""

    manifests: tuple[Descriptor, ...]


class Manifest(_Document):
    """One image: its configuration and its layers, the lowest first."""

    config: Descriptor
    layers: Annotated[tuple[Descriptor, ...], Field(max_length=_MOST_LAYERS)]


class ContainerDefaults(_Document):
    """The member `config` of a configuration."""

    user: Annotated[str, Field(alias="User")] = ""
    env: Annotated[_Words, Field(alias="Env")] = ()
    entrypoint: Annotated[_Words, Field(alias="Entrypoint")] = ()
    cmd: Annotated[_Words, Field(alias="Cmd")] = ()
    working_dir: Annotated[str, Field(alias="WorkingDir")] = ""


class RootFileSystem(_Document):
    """The digests of an image's layers, unpacked to plain tar."""

    diff_ids: tuple[Digest, ...]


class Configuration(Platform):
    """The configuration of an image."""

    config: Annotated[
        ContainerDefaults, BeforeValidator(lambda value: {} if value is None else value)
    ] = Field(default_factory=ContainerDefaults)
    rootfs: RootFileSystem


class SavedImage(_Document):
    """One image of the file `manifest.json` in what `docker save` writes."""

    config: Annotated[str, Field(alias="Config")]
    repo_tags: Annotated[_Words, Field(alias="RepoTags")] = ()
    layers: Annotated[_Words, Field(alias="Layers", max_length=_MOST_LAYERS)] = ()


_Model = TypeVar("_Model", bound=BaseModel)


def read(model: type[_Model], content: bytes, place: str) -> _Model:
    """Read a document; `place` begins an error's line. Raises ImageError."""
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        text = f"{where}: {first['msg']}" if where else first["msg"]
        raise ImageError(f"{place}: {text}") from error

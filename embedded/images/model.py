"""What an image is: layers on the disk, and how a container of it runs by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """Defaults of a container, as the `config` of an OCI image states them.

    `env` holds PATH and the like; a Pod's own variables go over it. `command` is what runs when a
    container names neither `command` nor `args`.
    """

    uid: int
    gid: int
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    command: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Image:
    """A root file system in the cache, ready to be mounted.

    `layers` are directories, the topmost first, as overlayfs takes its `lowerdir`. `digest` is
    `sha256:` and 64 hex digits over the recipe and all that was put in: the key of the cache.
    """

    recipe: str
    suite: str
    digest: str
    layers: tuple[Path, ...]
    config: ImageConfig


@dataclass(frozen=True, kw_only=True)
class ImageRule:
    """One row of the table: references that match `pattern` (a shell pattern) get `image`."""

    pattern: str
    image: Image

    def matches(self, reference: str) -> bool:
        """Say whether `reference`, with registry host and tag or digest taken off, is meant."""
        return fnmatchcase(repository(reference), self.pattern)


def repository(reference: str) -> str:
    """Reduce an image reference to its path: `docker.io/percona/x:1@sha256:…` to `percona/x`.

    The first part is a registry's host when it holds a dot or a colon, or is `localhost`
    (https://pkg.go.dev/github.com/distribution/reference, "Grammar").
    """
    name = reference.partition("@")[0]
    head, slash, rest = name.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        name = rest
    return name.partition(":")[0]


def find(rules: tuple[ImageRule, ...], reference: str) -> Image | None:
    """Return the image that stands in for `reference`; None where no rule knows it."""
    return next((rule.image for rule in rules if rule.matches(reference)), None)

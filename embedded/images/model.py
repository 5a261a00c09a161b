"""Images: layers on the disk, and the defaults of their containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """Defaults of a container, as the `config` of an OCI image states them.

    `env` holds PATH and the like; a Pod's own variables go over it. `entrypoint` is what runs when
    a container does not name its `command`, and `command` are the words after that when it does not
    name its `args` either. `user` is the name of the user where the image gives no number.
    """

    uid: int
    gid: int
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""


@dataclass(frozen=True, kw_only=True)
class Image:
    """A root file system in the cache, ready to be mounted.

    `layers` are directories, the topmost first, as overlayfs takes its `lowerdir`. `digest` is
    `sha256:` and 64 hex digits: the key of the cache. Of an image that is made by a recipe it is
    over the recipe and all that was put in. One of a registry, an archive or a directory has its
    own digest; its `release` is empty, and its `recipe` says where it is from. `indexes` are the
    digests of the indexes by which it was found, of images for several machines.
    """

    recipe: str
    release: str
    digest: str
    layers: tuple[Path, ...]
    config: ImageConfig
    indexes: tuple[str, ...] = ()

    def answers(self, reference: str) -> bool:
        """Say whether it is of the digest that `reference` names, if it names one.

        One of a recipe stands in for images whose content it cannot have, whatever their digest.
        """
        digest = reference.partition("@")[2]
        return not digest or bool(self.release) or digest in {self.digest, *self.indexes}


@dataclass(frozen=True, kw_only=True)
class ImageRule:
    """One row of the table: references that match `pattern` (a shell pattern) get `image`.

    A pattern with a colon is compared with path and tag, one without with the path alone.
    """

    pattern: str
    image: Image

    def matches(self, reference: str) -> bool:
        """Say whether `reference` is meant, whatever its registry's host and digest."""
        return matches(self.pattern, reference)


def matches(pattern: str, reference: str) -> bool:
    """Say whether `reference` matches the pattern of a row."""
    path, tag = path_and_tag(reference)
    return fnmatchcase(f"{path}:{tag}" if ":" in pattern else path, pattern)


def path_and_tag(reference: str) -> tuple[str, str]:
    """Reduce an image reference: `registry.example/a/b:1@sha256:…` to `a/b` and `1`.

    The tag is `latest` where there is none. The first part is a registry's host when it holds a dot
    or a colon, or is `localhost`
    (https://pkg.go.dev/github.com/distribution/reference, "Grammar").
    """
    name = reference.partition("@")[0]
    head, slash, rest = name.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        name = rest
    path, _, tag = name.partition(":")
    return path, tag or "latest"


def find(rules: tuple[ImageRule, ...], reference: str) -> Image | None:
    """Return the image for `reference`; None where no rule knows it.

    Of several rules, the first whose image has the digest that is named, or else the first.
    """
    found = [rule.image for rule in rules if rule.matches(reference)]
    return next((image for image in found if image.answers(reference)), next(iter(found), None))

"""Image references, by the rules of https://pkg.go.dev/github.com/distribution/reference."""

from __future__ import annotations

import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"
_OLD_DOCKER_HUB = "index.docker.io"
_OFFICIAL = "library/"
_LATEST = "latest"
_LONGEST_REPOSITORY = 255

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class InvalidReferenceError(ValueError):
    """A text is no image reference; it says which part, and what that may be."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """An image reference, with all that Docker leaves out filled in.

    `registry` is a host, perhaps with a port. At least one of `tag` and `digest` is there;
    `digest` is `sha256:` and 64 hex digits.
    """

    registry: str
    repository: str
    tag: str | None
    digest: str | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"


def parse(text: str) -> Reference:
    """Read a reference as Docker does: `some/x` is `docker.io/some/x:latest`.

    Raises InvalidReferenceError.
    """
    name, at, digest = text.partition("@")
    registry, path = _registry_and_path(name)
    repository, colon, tag = path.partition(":")
    if registry == DOCKER_HUB and repository and "/" not in repository:
        repository = f"{_OFFICIAL}{repository}"
    _check(text, "registry", _REGISTRY, registry, "a host, perhaps with a port")
    _check(text, "repository", _REPOSITORY, repository, "lower-case words between slashes")
    if len(repository) > _LONGEST_REPOSITORY:
        raise InvalidReferenceError(f"{text!r}: the repository is longer than 255 characters")
    if colon:
        _check(text, "tag", _TAG, tag, "up to 128 letters, digits, '_', '.' and '-'")
    if at:
        _check(text, "digest", _DIGEST, digest, "sha256: and 64 hex digits in lower case")
    return Reference(
        registry=registry,
        repository=repository,
        tag=tag or (None if at else _LATEST),
        digest=digest or None,
    )


def _registry_and_path(name: str) -> tuple[str, str]:
    head, slash, rest = name.partition("/")
    is_host = "." in head or ":" in head or head == "localhost" or head != head.lower()
    if not slash or not is_host:
        return DOCKER_HUB, name
    return DOCKER_HUB if head == _OLD_DOCKER_HUB else head, rest


def _check(text: str, what: str, pattern: re.Pattern[str], part: str, wanted: str) -> None:
    if not pattern.fullmatch(part):
        shown = f"the {what} {part!r} is not" if part else f"there is no {what},"
        raise InvalidReferenceError(f"{text!r} names no image: {shown} {wanted}")

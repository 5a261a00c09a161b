"""The image table for another operator: what is for each image that it runs, and its clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedded.images.cache import ImageError
from embedded.images.model import matches, path_and_tag
from embedded.images.oci.reference import InvalidReferenceError, parse
from embedded.images.oci.source import RegistrySource
from embedded.images.recipe import RELEASES, DebianRelease
from embedded.images.table import (
    ImageSource,
    ImageTable,
    NamedSource,
    OwnImage,
    with_sources,
)
from reference.images.names import POSTGRESQL, postgresql
from reference.images.postgresql import MAJOR
from reference.images.standins import rows, stand_ins

_NEWEST_FIRST = tuple(reversed(RELEASES.values()))


def subject_images(references: Sequence[str], named: Sequence[NamedSource]) -> ImageTable:
    """Return a table with rows for `named`, and for each of `references` that none of them is for.

    A recipe stands in for Percona's images of PostgreSQL, PgBouncer and pgBackRest, the same one
    for all: that with the major version of PostgreSQL that its image's tag names, else the newest.
    All others are images of a registry. The table raises ImageError where no recipe has that
    version, or none is for a name.
    """
    release = _release(references)
    standing_in = rows(release or _NEWEST_FIRST[0])
    left = [
        reference
        for reference in dict.fromkeys(references)
        if not any(matches(one.pattern, reference) for one in named)
    ]

    def table(_: DebianRelease) -> Sequence[ImageSource | OwnImage]:
        return tuple(_row(reference, standing_in) for reference in left)

    def recipes(release: DebianRelease) -> Sequence[ImageSource]:
        return (*standing_in, *stand_ins(release))

    return with_sources(table, named, recipes)


def _release(references: Sequence[str]) -> DebianRelease | None:
    """Return the Debian release with the version of PostgreSQL that `references` name, if any."""
    for release in _NEWEST_FIRST:
        patterns = postgresql(MAJOR[release.name])
        if any(matches(pattern, each) for pattern in patterns for each in references):
            return release
    return None


def _row(reference: str, standing_in: Sequence[ImageSource]) -> ImageSource | OwnImage:
    for row in standing_in:
        if any(matches(pattern, reference) for pattern in row.patterns):
            return replace(row, patterns=(_pattern(reference),))
    if any(matches(pattern, reference) for pattern in POSTGRESQL):
        known = ", ".join(str(MAJOR[release.name]) for release in _NEWEST_FIRST)
        raise ImageError(
            f"images: {reference}: recipes have PostgreSQL {known}; name its image of one of these"
            " by --image postgres=, or where this one is by --image-source"
        )
    try:
        source = RegistrySource(reference=parse(reference))
    except InvalidReferenceError as error:
        raise ImageError(f"images: {error}") from error
    return OwnImage(pattern=_pattern(reference), source=source)


def _pattern(reference: str) -> str:
    path, tag = path_and_tag(reference)
    return f"{path}:{tag}"

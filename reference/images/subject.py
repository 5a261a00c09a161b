"""The image table for another operator: what is for each image that it runs, and its clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedded.images.cache import ImageError
from embedded.images.model import matches, path_and_tag
from embedded.images.oci.reference import InvalidReferenceError, parse
from embedded.images.oci.source import RecipeSource, RegistrySource
from embedded.images.recipe import RELEASES, DebianRelease
from embedded.images.table import (
    ImageSource,
    ImageTable,
    NamedSource,
    OwnImage,
    with_sources,
)
from reference.images.names import PGBACKREST, POSTGRESQL, postgresql
from reference.images.postgresql import MAJOR
from reference.images.standins import programs, rows, stand_ins

_NEWEST_FIRST = tuple(reversed(RELEASES.values()))


def subject_images(references: Sequence[str], named: Sequence[NamedSource]) -> ImageTable:
    """Return a table with rows for `named`, and for each of `references` that none of them is for.

    A recipe stands in for Percona's images of PostgreSQL, PgBouncer and pgBackRest, the same one
    for all: the one that `named` gives to PostgreSQL or pgBackRest, else that with the major
    version of PostgreSQL that its image's tag names, else the newest. All others are images of a
    registry. The table raises ImageError where no recipe has that version, none is for a name, or
    `named` gives one with another version than the tag's, or two that cannot work together.
    """
    standing_in = rows(_named_release(references, named) or _release(references))
    left = [
        reference
        for reference in dict.fromkeys(references)
        if not any(matches(one.pattern, reference) for one in named)
    ]

    def table(_: DebianRelease) -> Sequence[ImageSource | OwnImage]:
        _refuse_mixtures(references, named)
        return tuple(_row(reference, standing_in) for reference in left)

    def recipes(release: DebianRelease) -> Sequence[ImageSource]:
        return (*standing_in, *stand_ins(release))

    return with_sources(table, named, recipes)


def _release(references: Sequence[str]) -> DebianRelease:
    """Return the Debian release with the version of PostgreSQL that `references` name."""
    for release in _NEWEST_FIRST:
        if any(_fits(reference, postgresql(MAJOR[release.name])) for reference in references):
            return release
    return _NEWEST_FIRST[0]


def _named_release(references: Sequence[str], named: Sequence[NamedSource]) -> DebianRelease | None:
    """Return the Debian release whose recipe `named` gives to PostgreSQL or pgBackRest, if any."""
    for reference in references:
        one = _named(reference, named)
        if one is not None and _fits(reference, (*POSTGRESQL, *PGBACKREST)):
            return one[1]
    return None


def _named(
    reference: str, named: Sequence[NamedSource]
) -> tuple[NamedSource, DebianRelease] | None:
    """Return what gives `reference` a recipe by its name, with the release of that recipe."""
    one = next((each for each in named if matches(each.pattern, reference)), None)
    if one is None or not isinstance(one.source, RecipeSource):
        return None
    for release in _NEWEST_FIRST:
        if one.source.name == programs(release).name:
            return one, release
    return None


def _refuse_mixtures(references: Sequence[str], named: Sequence[NamedSource]) -> None:
    first: tuple[NamedSource, DebianRelease] | None = None
    for reference in references:
        found = _named(reference, named)
        if found is None or not _fits(reference, (*POSTGRESQL, *PGBACKREST)):
            continue
        one, release = found
        major = MAJOR[release.name]
        wrong = f"images: {one.pattern}={one.source}: "
        if _fits(reference, POSTGRESQL) and not _fits(reference, postgresql(major)):
            raise ImageError(
                f"{wrong}it has PostgreSQL {major}, and the tag of {reference} names another;"
                f" name an image of that version as well, by --image postgres="
            )
        first = first or found
        if release != first[1]:
            raise ImageError(
                f"{wrong}{first[0].pattern} is of {first[0].source}, and pgBackRest works with its"
                " own version alone; name one recipe for both"
            )


def _fits(reference: str, patterns: Sequence[str]) -> bool:
    return any(matches(pattern, reference) for pattern in patterns)


def _row(reference: str, standing_in: Sequence[ImageSource]) -> ImageSource | OwnImage:
    for row in standing_in:
        if _fits(reference, row.patterns):
            return replace(row, patterns=(_pattern(reference),))
    if _fits(reference, POSTGRESQL):
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

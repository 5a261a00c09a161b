"""The image table: which image runs for which image reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from embedded.images import store
from embedded.images.cache import ImageError
from embedded.images.model import Image, ImageConfig, ImageRule, matches
from embedded.images.oci.source import FileSource, RecipeSource, RegistrySource, Source
from embedded.images.recipe import DebianRelease, Layer, Recipe


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """One row of an image table: where the image for some references comes from.

    `patterns` are shell patterns for references, without the registry's host. One with a colon is
    compared with path and tag, one without with the path alone. `config` replaces the recipe's, and
    `release` the machine's own Debian release.
    """

    patterns: tuple[str, ...]
    recipe: Recipe
    layer: Layer | None = None
    config: ImageConfig | None = None
    release: DebianRelease | None = None


@dataclass(frozen=True, kw_only=True)
class OwnImage:
    """One row of an image table: an image itself, from where `source` says."""

    pattern: str
    source: FileSource | RegistrySource


@dataclass(frozen=True, kw_only=True)
class NamedSource:
    """A source that a user gives to the references that match `pattern`."""

    pattern: str
    source: Source


RecipeTable = Callable[[DebianRelease], Sequence[ImageSource]]
"""The rows of a table that has recipes alone."""

ImageTable = Callable[[DebianRelease], Sequence[ImageSource | OwnImage]]
"""The rows for a Debian release; the first that matches a reference decides."""


def no_images(_: DebianRelease) -> Sequence[ImageSource]:
    """Return a table without rows: no Pod can run then."""
    return ()


def with_sources(
    table: ImageTable, named: Sequence[NamedSource], recipes: RecipeTable = no_images
) -> ImageTable:
    """Return `table` with rows for `named` before its own.

    Recipes are looked for in the rows of `recipes` first, then in those of `table`, which raises
    ImageError for one that is in neither.
    """

    def rows(release: DebianRelease) -> Sequence[ImageSource | OwnImage]:
        below = tuple(table(release))
        there = [*recipes(release), *(row for row in below if isinstance(row, ImageSource))]
        return (*(_row(each, there) for each in named), *below)

    return rows


def _row(named: NamedSource, there: Sequence[ImageSource]) -> ImageSource | OwnImage:
    if not isinstance(named.source, RecipeSource):
        return OwnImage(pattern=named.pattern, source=named.source)
    wanted = named.source.name
    fitting = [row for row in there if any(matches(one, named.pattern) for one in row.patterns)]
    # One recipe may have several rows, which differ in what its containers run as.
    for row in (*fitting, *there) if wanted else fitting:
        if wanted in (None, row.recipe.name):
            return replace(row, patterns=(named.pattern,))
    names = ", ".join(dict.fromkeys(row.recipe.name for row in there)) or "none"
    wrong = f"there is no recipe {wanted!r}" if wanted else "no recipe is for this name"
    raise ImageError(
        f"images: {named.pattern}={named.source}: {wrong}; write recipe: and one of: {names}"
    )


def build(
    sources: Iterable[ImageSource | OwnImage], release: DebianRelease, directory: Path
) -> tuple[ImageRule, ...]:
    """Return the rules of a table, with each image taken from `directory`, or made there first.

    Raises ImageError.
    """
    return tuple(
        rule for source in sources for rule in _rules_of_source(source, release, directory)
    )


def _rules_of_source(
    source: ImageSource | OwnImage, release: DebianRelease, directory: Path
) -> Iterable[ImageRule]:
    if isinstance(source, OwnImage):
        return [ImageRule(pattern=source.pattern, image=_own(source, directory))]
    image = store.ensure(source.recipe, source.release or release, directory)
    if source.layer is not None:
        image = store.ensure_layer(source.layer, image, directory)
    if source.config is not None:
        image = replace(image, config=source.config)
    return [ImageRule(pattern=pattern, image=image) for pattern in source.patterns]


def _own(row: OwnImage, directory: Path) -> Image:
    # Only now: to read what images say of themselves takes longer to load than all the rest.
    if not isinstance(row.source, RegistrySource):
        from embedded.images.oci import store as own

        return own.ensure(row.source, directory)
    from embedded.images.oci import registry

    try:
        return registry.ensure(row.source, directory)
    except ImageError as error:
        instead = f"--image-source {row.pattern}=docker-archive:FILE"
        raise ImageError(f"{error}; a file of that image does as well: {instead}") from error

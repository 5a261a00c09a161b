"""The image table: which image stands in for which image reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from embedded.images import store
from embedded.images.model import ImageConfig, ImageRule
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


ImageTable = Callable[[DebianRelease], Sequence[ImageSource]]
"""The rows for a Debian release; the first that matches a reference decides."""


def no_images(_: DebianRelease) -> Sequence[ImageSource]:
    """Return a table without rows: no Pod can run then."""
    return ()


def build(
    sources: Iterable[ImageSource], release: DebianRelease, directory: Path
) -> tuple[ImageRule, ...]:
    """Return the rules of a table, with each image taken from `directory`, or made there first.

    Raises ImageError.
    """
    return tuple(
        rule for source in sources for rule in _rules_of_source(source, release, directory)
    )


def _rules_of_source(
    source: ImageSource, release: DebianRelease, directory: Path
) -> Iterable[ImageRule]:
    image = store.ensure(source.recipe, source.release or release, directory)
    if source.layer is not None:
        image = store.ensure_layer(source.layer, image, directory)
    if source.config is not None:
        image = replace(image, config=source.config)
    return [ImageRule(pattern=pattern, image=image) for pattern in source.patterns]

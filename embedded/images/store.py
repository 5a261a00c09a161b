"""Images by recipe: taken from the cache, made where they are missing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from embedded.images import cache
from embedded.images.builder import VERSIONS, build, build_layer
from embedded.images.host import host_release
from embedded.images.model import Image, ImageRule
from embedded.images.recipe import DebianRelease, Layer, Recipe

__all__ = ["ensure", "ensure_layer", "host_release", "target_of", "versions"]


def ensure(recipe: Recipe, release: DebianRelease, directory: Path) -> Image:
    """Return the image of `recipe`, built first if `directory` does not hold it.

    Raises ImageError.
    """
    digest = cache.key(recipe, release)
    root = _root(
        target_of(recipe, release, directory),
        lambda target, lock: build(recipe, release, target, lock),
    )
    return Image(
        recipe=recipe.name,
        release=release.name,
        digest=f"sha256:{digest}",
        layers=(root,),
        config=recipe.config,
    )


def target_of(recipe: Recipe, release: DebianRelease, directory: Path) -> Path:
    """Return where the image of `recipe` is, or would be. Raises ImageError."""
    return directory / f"{recipe.name}-{release.name}-{cache.key(recipe, release)[:16]}"


def ensure_layer(layer: Layer, base: Image, directory: Path) -> Image:
    """Return `base` with `layer` over it, built first if `directory` does not hold it.

    Raises ImageError.
    """
    parts = (base.digest, cache.layer_key(layer))
    digest = hashlib.sha256(" ".join(parts).encode()).hexdigest()
    root = _root(
        directory / f"{layer.name}-{base.release}-{digest[:16]}",
        lambda target, lock: build_layer(layer, base, target, lock),
    )
    return replace(base, digest=f"sha256:{digest}", layers=(root, *base.layers))


def versions(rules: Iterable[ImageRule]) -> dict[str, str]:
    """Return what the programs in the images say of their versions, by the word they begin with."""
    kept = {layer.parent / VERSIONS for rule in rules for layer in rule.image.layers}
    lines = [ln for path in kept if path.exists() for ln in path.read_text().splitlines()]
    return {line.split()[0].lower(): line for line in sorted(lines)}


def _root(target: Path, make: Callable[[Path, int], None]) -> Path:
    if not target.exists():
        with cache.building(target.parent) as lock:
            if not target.exists():
                make(target, lock)
    cache.used(target)
    return target / "root"

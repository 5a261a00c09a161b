"""What an image table would have, and what the cache holds: nothing is made or pulled for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from embedded.images import cache, store
from embedded.images.oci.source import FileSource, RegistrySource
from embedded.images.recipe import DebianRelease
from embedded.images.table import ImageSource, OwnImage


def listing(
    rows: Iterable[ImageSource | OwnImage], release: DebianRelease, directory: Path
) -> Iterator[str]:
    """Give a line for each pattern of `rows`, and one for each other image in `directory`.

    Raises ImageError.
    """
    used: set[Path] = set()
    for row in rows:
        if isinstance(row, ImageSource):
            origin = row.release or release
            target = store.target_of(row.recipe, origin, directory)
            state = "is there" if target.exists() else "is made when it is needed"
            used.add(target)
            for pattern in row.patterns:
                yield f"{pattern}  {row.recipe.name} ({origin.name}) stands in, {state}"
        else:
            yield f"{row.pattern}  {row.source}, {_state(row.source, directory, used)}"
    for image in cache.images(directory):
        if image not in used:
            day = datetime.fromtimestamp(image.stat().st_mtime, tz=UTC).date()
            yield f"also in the cache: {image.name}, last used {day}"


def _state(source: FileSource | RegistrySource, directory: Path, used: set[Path]) -> str:
    if isinstance(source, FileSource):
        return "is there" if source.path.exists() else "is not there"
    # Only now, as for the making of one.
    from embedded.images.oci import registry
    from embedded.images.oci import store as own

    digest = registry.known(source, directory)
    if digest is None:
        return "is pulled when it is needed"
    used.add(own.target_of(digest, directory))
    return f"is there ({digest})"

"""What is said of images without making any: which there are, and what stands in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from embedded.images import store
from embedded.images.listing import listing
from embedded.images.model import ImageConfig
from embedded.images.oci import reference
from embedded.images.oci.source import FileSource, RegistrySource, Transport
from embedded.images.recipe import RELEASES, Recipe
from embedded.images.table import ImageSource, OwnImage
from tests.embedded.images.oci import making

RELEASE = RELEASES["bookworm"]
RECIPE = Recipe(name="web", packages=(), config=ImageConfig(uid=0, gid=0))


def test_each_row_is_said_to_be_there_or_not(tmp_path: Path) -> None:
    stands_in = ImageSource(patterns=("example/a", "example/b:1.*"), recipe=RECIPE)
    other = ImageSource(patterns=("example/c",), recipe=RECIPE, release=RELEASES["forky"])
    layout = FileSource(transport=Transport.OCI_LAYOUT, path=tmp_path / "layout")
    named = OwnImage(pattern="example/d", source=layout)
    found = RegistrySource(reference=reference.parse("example/e:1"))
    pulled = OwnImage(pattern="example/e:1", source=found)
    rows: list[ImageSource | OwnImage] = [stands_in, other, named, pulled]
    cache = tmp_path / "cache"
    assert list(listing(rows, RELEASE, cache)) == [
        "example/a  web (bookworm) stands in, is made when it is needed",
        "example/b:1.*  web (bookworm) stands in, is made when it is needed",
        "example/c  web (forky) stands in, is made when it is needed",
        f"example/d  oci:{tmp_path}/layout, is not there",
        "example/e:1  docker://docker.io/example/e:1, is pulled when it is needed",
    ]
    store.target_of(RECIPE, RELEASE, cache).mkdir(parents=True)
    (cache / "old-bookworm-0123456789abcdef").mkdir()
    making.write_layout(making.image(making.layer(("a", b"1"))), tmp_path / "layout")
    today = datetime.now(tz=UTC).date()
    assert list(listing(rows, RELEASE, cache)) == [
        "example/a  web (bookworm) stands in, is there",
        "example/b:1.*  web (bookworm) stands in, is there",
        "example/c  web (forky) stands in, is made when it is needed",
        f"example/d  oci:{tmp_path}/layout, is there",
        "example/e:1  docker://docker.io/example/e:1, is pulled when it is needed",
        f"also in the cache: old-bookworm-0123456789abcdef, last used {today}",
    ]

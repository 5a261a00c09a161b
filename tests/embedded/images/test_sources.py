"""Sources that users give to names of images: which row they become, and how that is shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from embedded.images.cache import ImageError
from embedded.images.model import ImageConfig, matches
from embedded.images.oci.reference import parse
from embedded.images.oci.source import RecipeSource, RegistrySource
from embedded.images.recipe import RELEASES, Recipe
from embedded.images.table import ImageSource, NamedSource, OwnImage, build, with_sources
from tests.embedded.image_table import FILE
from tests.embedded.images.oci import making
from tests.ports import HOST, reserved_port

CONFIG = ImageConfig(uid=0, gid=0)
ROWS = tuple(
    ImageSource(patterns=(f"example/{name}", f"lab/{name}"), recipe=Recipe(
        name=f"recipe-{name}", packages=(), config=CONFIG
    ))
    for name in ("one", "two")
)  # fmt: skip


def rows(*named: NamedSource) -> list[ImageSource | OwnImage]:
    return list(with_sources(lambda _: ROWS, named)(RELEASES["bookworm"]))


def test_a_recipe_is_the_one_of_the_name_or_the_one_that_is_named() -> None:
    own = NamedSource(pattern="lab/two:1.0", source=RecipeSource())
    other = NamedSource(pattern="new/name", source=RecipeSource(name="recipe-one"))
    first, second, *below = rows(own, other)
    assert isinstance(first, ImageSource)
    assert isinstance(second, ImageSource)
    assert (first.patterns, first.recipe.name) == (("lab/two:1.0",), "recipe-two")
    assert (second.patterns, second.recipe.name) == (("new/name",), "recipe-one")
    assert below == list(ROWS)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (RecipeSource(), "images: new/name=recipe: no recipe is for this name; write recipe: and"),
        (RecipeSource(name="x"), "images: new/name=recipe:x: there is no recipe 'x'; write"),
    ],
)
def test_a_recipe_that_there_is_not_is_refused_with_those_there_are(
    source: RecipeSource, why: str
) -> None:
    with pytest.raises(ImageError) as refused:
        rows(NamedSource(pattern="new/name", source=source))
    assert str(refused.value).startswith(why)
    assert str(refused.value).endswith("one of: recipe-one, recipe-two")


def test_a_tag_that_is_named_tells_versions_apart() -> None:
    assert matches("example/x:1.0", "docker.io/example/x:1.0")
    assert not matches("example/x:1.0", "docker.io/example/x:1.1")
    assert matches("example/x", "docker.io/example/x:1.1")


def listed(folder: Path, *sources: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "embedded", "images", "--images", str(FILE)]
    more = [part for text in sources for part in ("--image-source", text)]
    root = Path(__file__).parents[3]
    return subprocess.run(
        [*command, *more],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(root), "HOME": str(Path.home())},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_what_is_there_is_listed_by_digest(tmp_path: Path) -> None:
    made = making.image(making.layer(("a", b"1")))
    making.write_layout(made, tmp_path / "layout")
    done = listed(tmp_path, "registry.example/example/own:2.9.0=oci:layout", "x/y=recipe:test")
    assert done.returncode == 0, done.stderr
    own, stand_in, *_ = done.stdout.splitlines()
    assert own == f"example/own:2.9.0  oci:{tmp_path}/layout  {made.manifest}"
    assert stand_in.startswith("x/y  test (")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("example/own", "--image-source example/own: is not a pair; write NAME=SOURCE"),
        ("example/own=", "--image-source example/own=: is not a pair"),
        ("a=oci:", "--image-source a: 'oci:' lacks a path after the colon"),
        ("a=Web", "--image-source a: 'Web' names no image: the repository 'library/Web' is not"),
        ("a=oci:nowhere", "images: oci:{folder}/nowhere: there is no {folder}/nowhere; name"),
        ("a=recipe", "images: a=recipe: no recipe is for this name; write recipe: and one of:"),
    ],
)
def test_what_cannot_be_had_ends_with_one_line_and_code_4(
    tmp_path: Path, text: str, why: str
) -> None:
    done = listed(tmp_path, text)
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].startswith(why.replace("{folder}", str(tmp_path)))
    assert len(done.stderr.splitlines()) == 1


def test_an_image_that_no_registry_gives_may_be_a_file(tmp_path: Path) -> None:
    with reserved_port() as port:
        source = RegistrySource(reference=parse(f"{HOST}:{port}/example/own:1"))
        row = OwnImage(pattern="example/own:1", source=source)
        with pytest.raises(ImageError) as raised:
            build([row], RELEASES["bookworm"], tmp_path)
    assert "cannot be reached" in str(raised.value)
    assert str(raised.value).endswith("--image-source example/own:1=docker-archive:FILE")

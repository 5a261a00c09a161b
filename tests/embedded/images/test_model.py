"""Which image stands in for which reference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from embedded.images.model import Image, ImageConfig, ImageRule, find, path_and_tag

IMAGE = Image(
    recipe="r", release="s", digest="sha256:0", layers=(), config=ImageConfig(uid=1, gid=1)
)
OTHER = replace(IMAGE, recipe="other")


@pytest.mark.parametrize(
    ("reference", "path", "tag"),
    [
        ("example/web", "example/web", "latest"),
        ("docker.io/example/web:1.24.1-1", "example/web", "1.24.1-1"),
        ("localhost:5000/a/b:tag@sha256:00", "a/b", "tag"),
        ("localhost/a", "a", "latest"),
        ("operator:0.1.0", "operator", "0.1.0"),
        ("registry.example:5000/a@sha256:00", "a", "latest"),
    ],
)
def test_a_reference_is_reduced_to_path_and_tag(reference: str, path: str, tag: str) -> None:
    assert path_and_tag(reference) == (path, tag)


def test_the_first_rule_that_matches_decides() -> None:
    rules = (ImageRule(pattern="example/*", image=IMAGE), ImageRule(pattern="*", image=OTHER))
    assert find(rules, "docker.io/example/anything:1") is IMAGE
    assert find(rules, "other/example") is OTHER
    assert find(rules[:1], "other/example") is None


def test_an_image_of_its_own_answers_to_its_digests_alone() -> None:
    """Those of the indexes that led to it, too; what a recipe makes stands in for any."""
    own = replace(IMAGE, release="", digest="sha256:1", indexes=("sha256:2",))
    assert [own.answers(f"a/b:1@sha256:{n}") for n in range(4)] == [False, True, True, False]
    assert own.answers("a/b:1")
    assert IMAGE.answers("a/b@sha256:3")


def test_of_several_rules_the_one_with_the_digest_decides() -> None:
    own = replace(IMAGE, release="", digest="sha256:1")
    rules = tuple(
        ImageRule(pattern="a/b", image=image) for image in (own, replace(own, digest="sha256:2"))
    )
    assert find(rules, "a/b@sha256:2") is rules[1].image
    assert find(rules, "a/b@sha256:1") is own
    assert find(rules, "a/b@sha256:3") is own
    assert find(rules, "a/b:1") is own


def test_a_pattern_with_a_colon_is_compared_with_the_tag_too() -> None:
    rules = (ImageRule(pattern="example/web:1.*", image=IMAGE),)
    assert find(rules, "registry.example:5000/example/web:1.2@sha256:00") is IMAGE
    assert find(rules, "example/web:2.1") is None
    assert find(rules, "example/web") is None

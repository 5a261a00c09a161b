"""Which variants are run together."""

from __future__ import annotations

from faultmatrix.matrix import companies
from reference.faults.registry import VARIANTS
from reference.faults.variant import Variant


def _variant(name: str, aspect: str = "") -> Variant:
    return Variant(name=name, differs="It differs.", aspect=aspect)


def test_variants_of_different_aspects_are_together_and_those_of_one_are_not() -> None:
    glass, wood = _variant("glass", "door"), _variant("wood", "door")
    round_, square = _variant("round", "window"), _variant("square", "window")
    assert companies([glass, wood, round_, square]) == [[glass, round_], [wood, square]]


def test_a_variant_without_an_aspect_is_alone() -> None:
    slow, glass, tidy = _variant("slow"), _variant("glass", "door"), _variant("tidy")
    assert companies([slow, glass, tidy]) == [[slow], [glass], [tidy]]


def test_each_variant_of_the_registry_is_in_one_run() -> None:
    together = companies(VARIANTS)
    assert sorted(each.name for company in together for each in company) == sorted(
        each.name for each in VARIANTS
    )
    assert len(together) < len(VARIANTS)

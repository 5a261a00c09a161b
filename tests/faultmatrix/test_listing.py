"""Which checks a fault is run against: all that look at the scenarios it needs, and no others."""

from __future__ import annotations

import json

import pytest

from faultmatrix.listing import Listing
from faultmatrix.matrix import without_fault
from tests.faultmatrix.making import FAULT, listing

HOUSE = listing(DOOR_1=("house",), DOOR_2=("house",), WALL_1=("house", "garden"), ROOF_1=("roof",))


def test_scenarios_are_those_of_the_requirements() -> None:
    assert HOUSE.scenarios(["DOOR-1"]) == {"house"}
    assert HOUSE.scenarios(["WALL-1", "ROOF-1"]) == {"house", "garden", "roof"}
    assert HOUSE.scenarios(["NOWHERE-1"]) == frozenset()


def test_every_check_of_the_scenarios_is_run() -> None:
    assert HOUSE.within(frozenset({"house"})) == ("test::DOOR_1", "test::DOOR_2")
    assert "test::WALL_1" in HOUSE.within(frozenset({"house", "garden"}))


def test_a_check_on_no_scenario_belongs_to_none() -> None:
    assert listing(DOOR_1=()).within(frozenset({"house"})) == ()


def test_a_requirement_is_decidable_where_all_of_its_checks_are() -> None:
    assert HOUSE.decidable(frozenset({"house", "roof"})) == {"DOOR-1", "DOOR-2", "ROOF-1"}


def test_a_decided_requirement_without_a_fault_is_found() -> None:
    assert without_fault(HOUSE, [FAULT]) == ("DOOR-2", "WALL-1", "ROOF-1")


def test_the_verifiers_answer_is_read() -> None:
    checks = [{"id": "suites/test_door.py::test_it", "scenarios": ["house"]}]
    rows = [{"id": "DOOR-1", "checks": checks}, {"id": "DOOR-2", "checks": []}]
    read = Listing.parse(json.dumps({"requirements": rows}))
    assert read.decided == ("DOOR-1",)
    assert read.within(frozenset({"house"})) == ("suites/test_door.py::test_it",)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"requirements": [{"id": "DOOR-1"}]}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a listing|Expecting value"):
        Listing.parse(text)

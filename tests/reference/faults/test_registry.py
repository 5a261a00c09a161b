"""The registry: complete, without doubles, and of requirements that exist."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
import yaml

from reference.faults import chapters
from reference.faults.registry import REGISTRY, UnknownFaultError, parse

CATALOGUE = Path(__file__).parents[3] / "suites" / "requirements.yaml"

CHAPTERS = ["AUTO", "CERTREQ", "CONN", "REPL", "CUSTOM", "ROOTCA", "UPDATE", "TLSONLY", "FIN"]
DECIDED = (
    "AUTO-1 AUTO-2a AUTO-2b AUTO-2c AUTO-3a AUTO-4a AUTO-4b AUTO-4c AUTO-5a AUTO-5b AUTO-5c "
    "AUTO-5d AUTO-7a AUTO-8 "
    "CONN-1 CONN-2 CONN-3 CONN-4a CONN-4b CONN-6 CONN-7 CONN-8 "
    "REPL-1 REPL-2 REPL-3 REPL-4 REPL-5 REPL-6 REPL-7 "
    "CERTREQ-1a CERTREQ-1b CERTREQ-2a CERTREQ-3a CERTREQ-4 "
    "CUSTOM-1 CUSTOM-2a CUSTOM-2b CUSTOM-5a CUSTOM-5b CUSTOM-6a CUSTOM-6b CUSTOM-6c CUSTOM-8a "
    "CUSTOM-8b CUSTOM-11a "
    "ROOTCA-1 ROOTCA-2a ROOTCA-2b ROOTCA-2c ROOTCA-2d ROOTCA-2e ROOTCA-5 "
    "TLSONLY-1 TLSONLY-2 TLSONLY-3a TLSONLY-3b TLSONLY-3c TLSONLY-3d TLSONLY-3e TLSONLY-3f "
    "TLSONLY-4a TLSONLY-4c TLSONLY-5a TLSONLY-5b "
    "UPDATE-1a UPDATE-1d "
    "FIN-1a FIN-1b FIN-2a FIN-2c FIN-2d FIN-2e FIN-3 FIN-4 FIN-7a "
)


def test_names_are_unique() -> None:
    names = [fault.name for fault in REGISTRY]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("requirement", DECIDED.split())
def test_every_decided_requirement_has_a_fault(requirement: str) -> None:
    assert any(requirement in fault.requirements for fault in REGISTRY)


def test_faults_name_requirements_that_exist() -> None:
    rows = yaml.safe_load(CATALOGUE.read_text())
    known = {row["id"] for chapter in rows["chapters"] for row in chapter["requirements"]}
    for fault in REGISTRY:
        named = {*fault.requirements, *(hit.requirement for hit in fault.collateral)}
        assert named <= known, fault.name


def test_a_fault_does_not_list_what_it_breaks_as_collateral() -> None:
    for fault in REGISTRY:
        assert fault.requirements, fault.name
        assert not {hit.requirement for hit in fault.collateral} & set(fault.requirements)


def test_faults_stand_in_the_order_of_the_requirements() -> None:
    rows = yaml.safe_load(CATALOGUE.read_text())
    listed = [row["id"] for chapter in rows["chapters"] for row in chapter["requirements"]]
    first = [fault.requirements[0] for fault in REGISTRY]
    for _, group in itertools.groupby(first, key=_chapter):
        places = [listed.index(id_) for id_ in group]
        assert places == sorted(places)
    chapters_in_turn = [chapter for chapter, _ in itertools.groupby(first, key=_chapter)]
    assert chapters_in_turn == [
        "AUTO",
        "CERTREQ",
        "CONN",
        "REPL",
        "CUSTOM",
        "ROOTCA",
        "UPDATE",
        "TLSONLY",
        "FIN",
    ]


def _chapter(requirement: str) -> str:
    return requirement.partition("-")[0]


def test_every_record_in_the_sources_is_found() -> None:
    folder = Path(chapters.__path__[0])
    sources = "".join(path.read_text() for path in sorted(folder.rglob("*.py")))
    written = re.findall(r'^@Fault\(\n    name="(.*)",$', sources, flags=re.MULTILINE)
    assert sorted(written) == sorted(fault.name for fault in REGISTRY)


def test_names_are_parsed_each_once_and_by_name() -> None:
    found = parse(" typed-secret, short-leaf,typed-secret,")
    assert [fault.name for fault in found] == ["short-leaf", "typed-secret"]
    assert parse("") == ()


def test_an_unknown_name_is_one_line_with_the_near_ones() -> None:
    with pytest.raises(
        UnknownFaultError, match="unknown fault 'short-leef': did you mean short-leaf"
    ):
        parse("short-leef")

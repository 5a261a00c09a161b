"""The classes that commit the faults: each breaks a seam, and several can be one."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

import reference.operator
from embedded.node.behaviour import NodeBehaviour
from reference.faults import Fault
from reference.faults.registry import OVERRIDES, REGISTRY, combined, parse
from reference.operator.contract import Contract

BASES: dict[str, type] = {"operator": Contract, "data plane": Contract, "node": NodeBehaviour}


def seams(base: type) -> set[str]:
    return {name for name in dir(base) if not name.startswith("_")}


@pytest.mark.parametrize("fault", REGISTRY, ids=lambda fault: fault.name)
def test_every_fault_overrides_a_seam_of_what_it_breaks(fault: Fault) -> None:
    override, base = OVERRIDES[fault.name], BASES[fault.where]
    assert issubclass(override, base)
    assert any(getattr(override, name) is not getattr(base, name) for name in seams(base))


def test_every_seam_of_the_contract_says_what_it_promises() -> None:
    for base in (Contract, NodeBehaviour):
        for name in seams(base):
            assert getattr(base, name).__doc__, f"{base.__name__}.{name}"


def test_without_faults_the_contract_is_kept() -> None:
    assert type(combined(Contract, ())) is Contract
    assert type(combined(NodeBehaviour, parse("short-leaf"))) is NodeBehaviour
    assert type(combined(Contract, parse("node-another-root-file"))) is Contract


def test_any_two_faults_can_be_committed_at_once() -> None:
    for base in (Contract, NodeBehaviour):
        mine = [fault for fault in REGISTRY if issubclass(OVERRIDES[fault.name], base)]
        for pair in itertools.combinations(mine, 2):
            assert all(isinstance(combined(base, pair), OVERRIDES[each.name]) for each in pair)


def test_all_faults_together_are_one_class() -> None:
    everything = combined(Contract, REGISTRY)
    for fault in REGISTRY:
        if fault.where != "node":
            assert isinstance(everything, OVERRIDES[fault.name])


def test_each_operator_with_a_fault_has_a_memory_of_its_own() -> None:
    first, second = (combined(Contract, parse("content-restarts-later")) for _ in range(2))
    assert vars(first) == vars(second)
    assert all(vars(first)[name] is not vars(second)[name] for name in vars(first))


def test_the_operator_says_nothing_of_faults() -> None:
    folder = Path(reference.operator.__file__).parent
    sources = [path for path in folder.rglob("*") if path.suffix in (".py", ".sh")]
    assert len(sources) > 40
    for path in sources:
        assert not re.search(r"\bfaults?\b", path.read_text(), flags=re.IGNORECASE), path


def test_only_faults_of_a_chapter_have_records() -> None:
    for fault, override in ((fault, OVERRIDES[fault.name]) for fault in REGISTRY):
        assert override.__module__.startswith("reference.faults.chapters."), fault.name

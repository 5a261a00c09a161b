"""`python -m embedded.faults` as a person meets it; the runs themselves are `tox -e faults`."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from embedded.faults.listing import Listing
from embedded.faults.matrix import without_fault
from embedded.faults.registry import REGISTRY
from embedded.faults.running import ROOT, ask_listing


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "embedded.faults", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def listing() -> Listing:
    return asyncio.run(ask_listing())


def test_the_list_is_of_all_faults() -> None:
    ended = run("--list")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(f"\n{fault.name}  (" in f"\n{ended.stdout}" for fault in REGISTRY)
    assert ended.stdout.endswith(f"{len(REGISTRY)} faults\n")


def test_the_list_can_be_of_some() -> None:
    assert run("--list", "short-leaf").stdout.endswith("\n1 fault\n")


def test_an_unknown_fault_is_one_line() -> None:
    ended = run("short-leef")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == "unknown fault 'short-leef': did you mean short-leaf?\n"


def test_no_run_at_a_time_is_refused() -> None:
    ended = run("--jobs", "0")
    assert (ended.returncode, ended.stderr.count("\n")) == (4, 1)


def test_every_decided_requirement_has_a_fault(listing: Listing) -> None:
    assert without_fault(listing, REGISTRY) == ()


def test_every_fault_breaks_what_a_check_decides(listing: Listing) -> None:
    undecided = {f.name for f in REGISTRY if not set(f.requirements) <= set(listing.decided)}
    assert undecided == set()


def test_collateral_is_of_the_scenarios_that_are_run(listing: Listing) -> None:
    for fault in REGISTRY:
        seen = listing.decidable(listing.scenarios(fault.requirements))
        listed = {hit.requirement for hit in fault.collateral}
        assert listed <= seen, fault.name

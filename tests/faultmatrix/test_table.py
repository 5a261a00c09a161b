"""The table for people, and the JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path

from faultmatrix import machine, table
from faultmatrix.judging import (
    Kept,
    Outcome,
    Seen,
    judge,
    judge_baseline,
    judge_variant,
)
from faultmatrix.matrix import Entry, Matrix
from tests.faultmatrix.making import FAULT, VARIANT, run

REPORT = Path("/reports/door-open")


def entry(seen: Seen) -> Entry:
    return Entry(seen=seen, seconds=2.5, report=REPORT)


def matrix(
    *outcomes: Outcome, bare: tuple[str, ...] = (), variants: tuple[Kept, ...] = ()
) -> Matrix:
    green = judge_baseline(run(DOOR_1="passed"), frozenset({"DOOR-1"}))
    return Matrix(
        baseline=entry(green),
        faults=tuple(map(entry, outcomes)),
        bare=bare,
        seconds=60.0,
        variants=tuple(map(entry, variants)),
    )


CAUGHT = judge(FAULT, run(DOOR_1="failed", DOOR_2="error"))
MISSED = judge(FAULT, run(DOOR_1="passed", WALL_1="failed"))
BROKEN = Outcome(fault=FAULT, broken="exit code 4, no verdicts: no box")


def _end(summary: str) -> str:
    """Return what stands below the tables, each of which ends at an empty line."""
    _, _, rest = summary.partition("\n\n")
    while rest.startswith(("fault ", "variant ")):
        _, _, rest = rest.partition("\n\n")
    return "\n" + rest


def test_a_line_says_what_was_seen() -> None:
    words = " ".join(table.line(entry(CAUGHT)).split())
    assert words == "caught 2.5 s door-open DOOR-1 besides DOOR-2"
    assert "MISSED" in table.line(entry(MISSED))
    assert "missed DOOR-1 (passed) UNEXPECTED WALL-1 (failed)" in table.line(entry(MISSED))
    assert table.line(entry(BROKEN)).endswith("exit code 4, no verdicts: no box")


def test_what_is_wrong_comes_right_before_the_counts_with_its_report() -> None:
    text = table.summary(matrix(CAUGHT, MISSED))
    assert "\nMISSED  door-open\n  breaks   The door is open.\n" in _end(text)
    assert "DOOR-1 must be failed, is passed: why DOOR_1" in text
    assert "WALL-1 should be green, is failed: why WALL_1" in text
    assert f"report   {REPORT}" in text
    assert "1 of 2 faults caught" in text


def test_collateral_is_shown_with_its_reason() -> None:
    assert "DOOR-2 (error): it is the same door" in table.summary(matrix(CAUGHT))


def test_collateral_that_never_occurred_is_a_warning() -> None:
    seen = judge(FAULT, run(DOOR_1="failed", DOOR_2="passed"))
    text = table.summary(matrix(seen))
    assert "warning: door-open: listed besides, but not hit: DOOR-2 (passed)" in text
    assert matrix(seen).good


def test_the_matrix_is_good_when_all_is_well() -> None:
    assert matrix(CAUGHT).good
    assert not matrix(CAUGHT, MISSED).good
    assert not matrix(CAUGHT, BROKEN).good


def test_a_decided_requirement_without_a_fault_fails_it() -> None:
    bare = matrix(CAUGHT, bare=("WALL-1",))
    assert not bare.good
    assert "WITHOUT A FAULT  WALL-1" in table.summary(bare)


def test_a_run_without_a_fault_that_is_not_green_fails_it() -> None:
    red = judge_baseline(run(DOOR_1="failed"), frozenset({"DOOR-1"}))
    seen = Matrix(baseline=entry(red), faults=(entry(CAUGHT),), bare=(), seconds=1.0)
    assert not seen.good
    assert "DOOR-1 should be green, is failed: why DOOR_1" in table.summary(seen)


def test_programs_read_the_same() -> None:
    document = json.loads(machine.render(matrix(CAUGHT, MISSED)))
    assert (document["schema_version"], document["good"]) == (1, False)
    assert document["without_a_fault"]["good"]
    caught, missed = document["faults"]
    assert (caught["fault"], caught["good"], caught["report"]) == ("door-open", True, None)
    assert caught["besides"] == [
        {"requirement": "DOOR-2", "verdict": "error", "reason": "it is the same door"}
    ]
    assert [row["requirement"] for row in missed["missed"]] == ["DOOR-1"]


def test_the_file_names_what_to_rerun(tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    file.write_text(machine.render(matrix(MISSED, variants=(KEPT,))))
    assert machine.failed(file) == {FAULT.name}
    file.write_text(machine.render(matrix(CAUGHT, variants=(RED,))))
    assert machine.failed(file) == {VARIANT.name}


def test_the_list_says_who_must_notice() -> None:
    text = table.listed([FAULT], ["WALL-1"])
    assert "caught   DOOR-1, as failed" in text
    assert "besides  DOOR-2: it is the same door" in text
    assert "without a fault: WALL-1" in text


DOORS = frozenset({"DOOR-1", "DOOR-2"})
KEPT = judge_variant(VARIANT, run(may=("DOOR_2",), DOOR_1="passed", DOOR_2="failed"), DOORS)
RED = judge_variant(VARIANT, run(DOOR_1="failed", DOOR_2="passed"), DOORS)


def test_a_variant_has_a_line_and_is_counted() -> None:
    words = " ".join(table.line(entry(KEPT)).split())
    assert words == "green 2.5 s door-of-glass 1 requirements besides DOOR-2"
    text = table.summary(matrix(CAUGHT, variants=(KEPT,)))
    assert "DOOR-2 (failed): it says of what doors usually are" in text
    assert "1 of 1 variants of a kept contract passed" in text


def test_a_variant_that_a_check_fails_comes_last_and_fails_the_matrix() -> None:
    found = matrix(CAUGHT, variants=(KEPT, RED))
    assert not found.good
    text = table.summary(found)
    assert "\nNOT GREEN  door-of-glass\n  differs  The door is of glass.\n" in _end(text)
    assert "DOOR-1 should be green, is failed: why DOOR_1" in text
    assert "1 of 2 variants of a kept contract passed" in text


def test_variants_are_listed_and_written_too() -> None:
    text = table.listed([FAULT, VARIANT], [])
    assert (
        "door-of-glass  (operator)\n  differs  The door is of glass.\n  expects  passed\n" in text
    )
    assert text.endswith("1 fault and 1 variant\n")
    (kept,) = json.loads(machine.render(matrix(CAUGHT, variants=(KEPT,))))["variants"]
    assert (kept["variant"], kept["expects"], kept["good"]) == ("door-of-glass", "passed", True)

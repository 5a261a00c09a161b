"""Caught, missed and hit besides: what each verdict under a fault means for the matrix."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faultmatrix.judging import (
    Baseline,
    Kept,
    Outcome,
    Row,
    judge,
    judge_baseline,
    judge_variant,
)
from reference.faults.variant import Variant
from reports.run import Verdict
from reports.verdicts import judge as judged
from tests.faultmatrix.making import FAULT, VARIANT, run
from tests.reports.examples import PLAINTEXT, finished, header, journal, selected


def ids(rows: tuple[Row, ...]) -> list[str]:
    return [row.requirement for row in rows]


def test_a_fault_is_caught_by_the_verdict_that_it_expects() -> None:
    seen = judge(FAULT, run(DOOR_1="failed", DOOR_2="passed", WALL_1="passed"))
    assert (ids(seen.caught), seen.missed, seen.unexpected, seen.good) == (["DOOR-1"], (), (), True)


@pytest.mark.parametrize("verdict", ["passed", "error", "blocked", "not-tested", "skipped"])
def test_any_other_verdict_is_a_miss(verdict: Verdict) -> None:
    seen = judge(FAULT, run(DOOR_1=verdict))
    assert ids(seen.missed) == ["DOOR-1"]
    assert seen.missed[0].reason == "why DOOR_1"
    assert not seen.good


def test_the_reason_of_a_miss_is_a_line_of_the_report() -> None:
    fault = replace(FAULT, requirements=("A-1", "A-2", "A-3"), collateral=())
    rows = [selected(id_, id_.lower()) for id_ in fault.requirements]
    seen = judge(
        replace(fault, expects="error"),
        judged(
            journal(
                header(*rows),
                finished("a-1"),
                finished("a-2", "failed", PLAINTEXT),
                finished("a-3", "error", text="it broke\nlog"),
            )
        ),
    )
    assert [row.reason for row in seen.missed] == ["", f"{PLAINTEXT.where}: {PLAINTEXT.seen}"]
    assert [row.reason for row in seen.caught] == ["it broke"]


def test_a_requirement_that_the_run_does_not_mention_is_a_miss() -> None:
    seen = judge(FAULT, run(WALL_1="passed"))
    assert seen.missed == (Row(requirement="DOOR-1", verdict="not-tested"),)


def test_a_fault_that_is_to_come_out_as_error_is_missed_when_it_fails() -> None:
    closed = replace(FAULT, expects="error")
    assert judge(closed, run(DOOR_1="error")).good
    assert ids(judge(closed, run(DOOR_1="failed")).missed) == ["DOOR-1"]


@pytest.mark.parametrize("verdict", ["failed", "error", "known-deviation"])
def test_what_is_hit_besides_needs_to_be_listed(verdict: Verdict) -> None:
    seen = judge(FAULT, run(DOOR_1="failed", DOOR_2=verdict, WALL_1=verdict))
    assert seen.besides == (
        Row(requirement="DOOR-2", verdict=verdict, reason="it is the same door"),
    )
    assert ids(seen.unexpected) == ["WALL-1"]
    assert not seen.good


@pytest.mark.parametrize("verdict", ["blocked", "not-tested", "skipped", "not-applicable"])
def test_what_was_not_looked_at_was_not_hit(verdict: Verdict) -> None:
    seen = judge(FAULT, run(DOOR_1="failed", DOOR_2=verdict, WALL_1=verdict))
    assert (ids(seen.besides), ids(seen.unexpected), seen.good) == ([], [], True)


def test_listed_collateral_that_never_occurs_is_told_and_no_failure() -> None:
    seen = judge(FAULT, run(DOOR_1="failed", DOOR_2="passed"))
    assert (ids(seen.idle), seen.good) == (["DOOR-2"], True)


def test_collateral_that_occurs_sometimes_is_not_missed() -> None:
    hit = replace(FAULT.collateral[0], sometimes=True)
    fault = replace(FAULT, collateral=(hit,))
    assert judge(fault, run(DOOR_1="failed", DOOR_2="passed")).idle == ()
    assert ids(judge(fault, run(DOOR_1="failed", DOOR_2="failed")).besides) == ["DOOR-2"]


def test_nothing_is_caught_where_the_environment_broke() -> None:
    assert not judge(FAULT, run("the platform ended", DOOR_1="failed")).good
    assert not Outcome(fault=FAULT, broken="exit code 4").good


def test_errors_alone_leave_it_unclear_and_a_verdict_does_not() -> None:
    assert judge(FAULT, run(DOOR_1="failed", DOOR_2="failed", WALL_1="error")).unclear
    assert judge(FAULT, run(DOOR_1="error", DOOR_2="failed")).unclear
    assert judge(FAULT, run("it took too long", DOOR_1="failed", DOOR_2="failed")).unclear
    assert not judge(FAULT, run(DOOR_1="failed", DOOR_2="failed", WALL_1="failed")).unclear
    assert not judge(FAULT, run(DOOR_1="passed", DOOR_2="failed", WALL_1="error")).unclear
    assert not judge(FAULT, run(DOOR_1="failed", DOOR_2="failed")).unclear


def test_without_a_fault_everything_is_green() -> None:
    seen = judge_baseline(
        run(DOOR_1="passed", WALL_1="not-applicable", ROOF_1="not-tested"),
        frozenset({"DOOR-1", "WALL-1"}),
    )
    assert (seen.reds, seen.green, seen.good) == ((), 1, True)


@pytest.mark.parametrize("verdict", ["failed", "error", "blocked", "not-tested", "skipped"])
def test_what_should_be_decided_and_is_not_green_is_red(verdict: Verdict) -> None:
    seen = judge_baseline(run(DOOR_1="passed", WALL_1=verdict), frozenset({"DOOR-1", "WALL-1"}))
    assert (ids(seen.reds), seen.good) == (["WALL-1"], False)


def test_a_run_that_looked_at_nothing_is_not_green() -> None:
    assert not judge_baseline(run(), frozenset()).good
    assert not Baseline().good
    assert not judge_baseline(run("it broke", DOOR_1="passed"), frozenset()).good


DOORS = frozenset({"DOOR-1", "DOOR-2"})


def test_a_variant_is_well_where_everything_passed() -> None:
    seen = judge_variant(VARIANT, run(DOOR_1="passed", DOOR_2="passed"), DOORS)
    assert (seen.reds, seen.besides, ids(seen.idle), seen.good) == ((), (), ["DOOR-2"], True)


def test_a_listed_row_that_only_informs_may_differ() -> None:
    seen = judge_variant(VARIANT, run(may=("DOOR_2",), DOOR_1="passed", DOOR_2="failed"), DOORS)
    assert (seen.reds, ids(seen.besides), seen.idle, seen.good) == ((), ["DOOR-2"], (), True)
    assert seen.besides[0].reason == "it says of what doors usually are"


@pytest.mark.parametrize("verdict", ["failed", "error", "blocked", "not-tested"])
def test_a_variant_that_comes_out_otherwise_is_red(verdict: Verdict) -> None:
    seen = judge_variant(VARIANT, run(DOOR_1=verdict, DOOR_2="passed"), DOORS)
    assert (ids(seen.reds), seen.good) == (["DOOR-1"], False)


def test_listing_excuses_neither_a_promise_nor_an_error() -> None:
    failed = judge_variant(VARIANT, run(DOOR_1="passed", DOOR_2="failed"), DOORS)
    error = judge_variant(VARIANT, run(may=("DOOR_2",), DOOR_1="passed", DOOR_2="error"), DOORS)
    assert (ids(failed.reds), ids(error.reds)) == (["DOOR-2"], ["DOOR-2"])


def test_a_variant_of_which_nothing_is_known_is_not_well() -> None:
    assert not judge_variant(VARIANT, run("the platform ended", DOOR_1="passed"), DOORS).good
    assert not Kept(variant=VARIANT).good


def test_what_another_of_the_same_run_is_excused_is_no_fault_of_this_one() -> None:
    other = Variant(name="door-of-wood", differs="It is of wood.")
    seen = judge_variant(
        other, run(may=("DOOR_2",), DOOR_1="passed", DOOR_2="failed"), DOORS, [VARIANT]
    )
    assert seen.good
    assert (seen.besides, seen.company) == ((), ("door-of-glass",))

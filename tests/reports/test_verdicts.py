"""Verdicts, result and exit code: rules that must hold for every journal."""

from reports.events import Event, KnownDeviation, Outcome
from reports.run import CheckRecord, CheckState, Run
from reports.verdicts import exit_code_of, judge, verdict_of
from tests.properties import given
from tests.properties import strategies as st
from tests.reports import examples as ex

STATES: list[CheckState] = [
    "passed",
    "failed",
    "error",
    "blocked",
    "skipped",
    "cut-off",
    "not-run",
]
OUTCOMES: list[Outcome] = ["passed", "failed", "error", "blocked", "skipped"]
LISTED = KnownDeviation(requirement="AUTO-1", reason="2.6 to 3.1: the user's value wins")

states = st.lists(st.sampled_from(STATES), max_size=5)


def records(outcomes: list[CheckState]) -> list[CheckRecord]:
    return [CheckRecord(id=f"c{n}", outcome=outcome) for n, outcome in enumerate(outcomes)]


def verdict(outcomes: list[CheckState], *, listed: bool = False, broke: bool = False) -> str:
    selected = ex.selected("AUTO-1")
    deviation = LISTED if listed else None
    return verdict_of(selected, records(outcomes), listed=deviation, broke=broke)[0]


@given(states, st.booleans(), st.booleans())
def test_passed_means_that_every_check_passed(
    outcomes: list[CheckState], listed: bool, broke: bool
) -> None:
    passed = verdict(outcomes, listed=listed, broke=broke) == "passed"
    assert passed == (bool(outcomes) and set(outcomes) == {"passed"})


@given(states, st.booleans(), st.booleans())
def test_one_breach_is_enough_and_nothing_else_is_a_breach(
    outcomes: list[CheckState], listed: bool, broke: bool
) -> None:
    found = verdict(outcomes, listed=listed, broke=broke)
    assert (found in {"failed", "known-deviation"}) == ("failed" in outcomes)
    assert found != "known-deviation" or listed


@given(states, st.booleans())
def test_the_order_of_checks_does_not_matter(outcomes: list[CheckState], broke: bool) -> None:
    assert verdict(outcomes, broke=broke) == verdict(outcomes[::-1], broke=broke)


@given(states, st.sampled_from(STATES))
def test_a_further_check_never_turns_anything_into_a_pass(
    outcomes: list[CheckState], more: CheckState
) -> None:
    if outcomes and verdict(outcomes) != "passed":
        assert verdict([*outcomes, more]) != "passed"


@given(states)
def test_what_is_not_applicable_is_nothing_else(outcomes: list[CheckState]) -> None:
    selected = ex.selected("AUTO-1", not_applicable="from 2.9 on")
    assert verdict_of(selected, records(outcomes)) == ("not-applicable", "from 2.9 on")


runs = st.lists(
    st.tuples(
        st.sampled_from(["MUST", "SHOULD", "MAY"]),
        st.lists(st.sampled_from([*OUTCOMES, None]), max_size=3),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


def made(
    rows: list[tuple[str, list[Outcome | None], bool]],
    *events: Event,
    selection: bool = False,
    **settings: object,
) -> Run:
    """A run of these requirements: level, outcome of each check (None: it did not run), listed."""
    selected, happened, deviations = [], [], []
    for number, (level, outcomes, listed) in enumerate(rows, start=1):
        id_ = f"AUTO-{number}"
        checks = [f"{id_}.{n}" for n in range(len(outcomes))]
        selected.append(ex.selected(id_, *checks, level=level))  # type: ignore[arg-type]  # drawn
        for check, outcome in zip(checks, outcomes, strict=True):
            if outcome is not None:
                happened += ex.finished(check, outcome)
        if listed:
            deviations.append(KnownDeviation(requirement=id_, reason="known"))
    first = ex.header(*selected, deviations=deviations, settings=settings, selection=selection)
    return judge(ex.journal(first, *happened, *events))


@given(runs)
def test_the_result_follows_from_what_is_required(
    rows: list[tuple[str, list[Outcome | None], bool]],
) -> None:
    run = made(rows)
    required = [row.verdict for row in run.requirements if row.level == "MUST"]
    assert (run.result == "failed") == ("failed" in required)
    all_ = [row.verdict for row in run.requirements]
    if run.result == "passed":
        assert set(required) <= {"passed", "known-deviation"}
        assert {"passed", "known-deviation"} & set(all_)
    if run.result == "inconclusive":
        decided = {"passed", "failed", "known-deviation"} & set(all_)
        assert "error" in (required or all_) or ("blocked" in all_ and not decided)
    codes = {"failed": {1}, "inconclusive": {3}, "partial": {0, 5}, "passed": {0}}
    assert run.exit_code in codes[run.result]


@given(runs)
def test_may_and_should_never_fail_a_run(
    rows: list[tuple[str, list[Outcome | None], bool]],
) -> None:
    run = made([("MAY" if level == "MUST" else level, o, listed) for level, o, listed in rows])
    assert run.result != "failed"
    assert run.exit_code != 1


@given(runs)
def test_strictness_only_ever_makes_it_worse(
    rows: list[tuple[str, list[Outcome | None], bool]],
) -> None:
    lax, strict = made(rows), made(rows, strict_deviations=True)
    assert lax.requirements == strict.requirements
    known = [row for row in lax.requirements if row.verdict == "known-deviation" and row.required]
    assert strict.result == ("failed" if known else lax.result)


@given(runs, st.booleans())
def test_whatever_is_unknown_is_said(
    rows: list[tuple[str, list[Outcome | None], bool]], selection: bool
) -> None:
    run = made(rows, selection=selection)
    said = "\n".join(run.statement)
    unknown = [row for row in run.requirements if row.verdict == "error"]
    if unknown:
        assert "unknown" in said
    if selection and unknown:
        assert run.result in {"failed", "inconclusive"}
        assert run.exit_code in {1, 3}


@given(runs, st.booleans())
def test_nothing_decided_is_never_passed_and_never_ends_with_0(
    rows: list[tuple[str, list[Outcome | None], bool]], selection: bool
) -> None:
    run = made(rows, selection=selection)
    if not {row.verdict for row in run.requirements} & {"passed", "failed", "known-deviation"}:
        assert run.result in {"inconclusive", "partial"}
        assert run.exit_code in {3, 5}


@given(runs)
def test_counts_add_up(rows: list[tuple[str, list[Outcome | None], bool]]) -> None:
    run = made(rows)
    assert sum(run.counts.values()) == len(rows)


@given(runs)
def test_an_interrupted_run_is_never_passed_and_ends_with_2(
    rows: list[tuple[str, list[Outcome | None], bool]],
) -> None:
    run = made(rows, ex.interrupted("Ctrl-C"))
    assert run.result != "passed"
    assert run.exit_code == 2


@given(runs)
def test_a_broken_environment_is_never_green(
    rows: list[tuple[str, list[Outcome | None], bool]],
) -> None:
    run = made(rows, ex.broke("the API server died", "last words"))
    assert run.exit_code in {1, 3}
    for row in run.requirements:
        waiting = {check.outcome for check in row.checks} <= {"passed", "not-run"}
        if row.checks and waiting and row.verdict != "passed":
            assert row.verdict == "error"


@given(runs)
def test_a_report_that_could_not_be_written_is_never_green(
    rows: list[tuple[str, list[Outcome | None], bool]],
) -> None:
    assert exit_code_of(made(rows), written=False) == 3


def test_nothing_that_ran_is_exit_code_5() -> None:
    run = made([("MUST", [], False), ("MAY", [None], False)])
    assert (run.result, run.exit_code) == ("partial", 5)


def certified(*rows: tuple[str, list[Outcome | None], bool], **settings: object) -> Run:
    return made(list(rows), selection=False, certify=True, **settings)


def test_a_whole_pass_of_a_real_operator_certifies_it() -> None:
    run = certified(("MUST", ["passed"], False), ("MAY", ["failed"], False))
    assert run.certifies
    assert (run.obstacles, run.exit_code) == ((), 0)


def test_known_deviations_certify_only_when_accepted_by_name() -> None:
    rows: list[tuple[str, list[Outcome | None], bool]]
    rows = [("MUST", ["passed"], False), ("MUST", ["failed"], True)]
    refused = certified(*rows)
    assert refused.exit_code == 6
    assert refused.obstacles == ("known deviations not accepted by name: AUTO-2",)
    assert certified(*rows, accept=["AUTO-2"]).exit_code == 0
    assert certified(*rows, strict_deviations=True).exit_code == 1


def test_what_cannot_certify_says_why() -> None:
    row = ex.selected("AUTO-1", "c")
    for first, obstacle in (
        (
            ex.header(row, subject=ex.REFERENCE, settings={"certify": True}),
            "the subject is the reference",
        ),
        (ex.header(row, selection=True, settings={"certify": True}), "only a selection was judged"),
        (
            ex.header(row, ex.selected("AUTO-2"), settings={"certify": True}),
            "the result is partial",
        ),
    ):
        run = judge(ex.journal(first, ex.finished("c")))
        assert run.exit_code == 6
        assert any(reason.startswith(obstacle) for reason in run.obstacles)


def test_without_certify_the_obstacles_cost_nothing() -> None:
    first = ex.header(ex.selected("AUTO-1", "c"), subject=ex.REFERENCE)
    run = judge(ex.journal(first, ex.finished("c")))
    assert (run.exit_code, run.certifies) == (0, False)


def test_a_deviation_that_is_gone_is_noticed() -> None:
    first = ex.header(ex.selected("AUTO-1", "c"), deviations=[LISTED])
    row = judge(ex.journal(first, ex.finished("c"))).requirements[0]
    assert row.verdict == "passed"
    assert row.reason.startswith("kept, though listed as a deviation")


def test_a_check_that_was_cut_off_decides_nothing() -> None:
    first = ex.header(ex.selected("AUTO-1", "a"), ex.selected("AUTO-2", "b"))
    run = judge(ex.journal(first, ex.finished("a"), ex.started("b"), footer=False))
    assert run.cut_off
    assert [row.verdict for row in run.requirements] == ["passed", "not-tested"]
    assert run.requirements[1].checks[0].outcome == "cut-off"
    assert run.finished is None

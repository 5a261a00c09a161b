"""Every combination of verdicts: result, statement and exit code, the same in every report."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import pytest

from reports import terminal
from reports.events import (
    Difference,
    Event,
    Image,
    KnownDeviation,
    Level,
    ListedFinding,
    Outcome,
    Selected,
)
from reports.renderers import junit, run_json
from reports.run import Run
from reports.terminal import Style
from reports.verdicts import judge
from tests.reports import examples as ex

EARLIER = "2.6 to 3.0: the user's value wins"
ROWS: dict[str, tuple[Level, str]] = {
    "M1": ("MUST", "AUTO-1a"),
    "M2": ("MUST", "AUTO-1b"),
    "S1": ("SHOULD", "AUTO-2a"),
    "A1": ("MAY", "AUTO-3a"),
    "A2": ("MAY", "AUTO-3b"),
}
OUTCOMES: frozenset[str] = frozenset({"passed", "failed", "error", "blocked", "skipped"})


@dataclass(frozen=True)
class Case:
    """How rows came out, and what the run must say and end with."""

    rows: str
    result: str
    code: int
    says: str
    selection: bool = False
    strict: bool = False


def run_of(case: Case, *events: Event, footer: bool = True, **settings: object) -> Run:
    """Make the run of a case: `M1 passed, A1 error` names rows and how each came out.

    Besides a check's outcome: `untested` has no check, `waiting` has one that did not run, `off`
    was skipped by the user, `foreign` does not apply, `listed` fails as is known of it, `gone`
    passes and is listed, `other` fails otherwise than is known of it.
    """
    selected: list[Selected] = []
    happened: list[Event] = []
    listed: list[KnownDeviation] = []
    for part in case.rows.split(", ") if case.rows else []:
        name, how = part.split()
        level, id_ = ROWS[name]
        checks: tuple[str, ...] = () if how == "untested" else (f"check-{id_}",)
        selected.append(
            ex.selected(
                id_,
                *checks,
                level=level,
                not_applicable="from 3.1 on" if how == "foreign" else "",
                skipped="a reason of the user" if how == "off" else "",
            )
        )
        outcome: Outcome | None = how if how in OUTCOMES else None  # type: ignore[assignment]
        if how in {"listed", "other"}:
            outcome = "failed"
        elif how == "gone":
            outcome = "passed"
        if how in {"listed", "gone", "other"}:
            listed.append(
                KnownDeviation(requirement=id_, reason=EARLIER, breach="the user's value")
            )
        if outcome is not None:
            seen = "the user's value" if how == "listed" else "something else"
            breach = Difference(where="Pod a", promised="TLS", seen=seen)
            happened += ex.finished(
                checks[0], outcome, *([breach] if outcome == "failed" else []), text=f"why {id_}"
            )
    first = ex.header(
        *selected,
        selection=case.selection,
        deviations=listed,
        settings={"strict_deviations": case.strict, **settings},
    )
    return judge(ex.journal(first, *happened, *events, footer=footer))


CASES = [
    Case("M1 passed", "passed", 0, "passed, certifies Percona Operator"),
    Case("M1 passed", "passed", 0, "passed of the selection", selection=True),
    Case("M1 failed", "failed", 1, "failed: 1 required promise broken"),
    Case("M1 failed, M2 error", "failed", 1, "1 required promise broken, 1 unknown"),
    Case("M1 failed, M2 untested", "failed", 1, "1 required promise broken, 1 not tested"),
    Case("M1 error", "inconclusive", 3, "inconclusive: 1 required promise unknown (AUTO-1a)"),
    Case("M1 passed, M2 error", "inconclusive", 3, "1 required promise unknown (AUTO-1b)"),
    Case("A1 error", "inconclusive", 3, "unknown, though not required: AUTO-3a (MAY)"),
    Case(
        "A1 error",
        "inconclusive",
        3,
        "inconclusive of the selection: unknown, though not required: AUTO-3a (MAY)",
        selection=True,
    ),
    Case("S1 error", "inconclusive", 3, "AUTO-2a (SHOULD)", selection=True),
    Case("A1 passed, A2 error", "inconclusive", 3, "AUTO-3b (MAY)", selection=True),
    Case("M1 passed, A1 error", "inconclusive", 3, "AUTO-3a (MAY)", selection=True),
    Case(
        "M1 passed, A1 error",
        "passed",
        0,
        "passed, certifies Percona Operator for PostgreSQL 2.8.0; unknown, though not required:"
        " AUTO-3a (MAY)",
    ),
    Case("M1 passed, S1 failed", "passed", 0, "; broken, though not required: AUTO-2a (SHOULD)"),
    Case("M1 passed, A1 blocked", "passed", 0, "; blocked, though not required: AUTO-3a (MAY)"),
    Case("A1 passed", "passed", 0, "passed of the selection", selection=True),
    Case(
        "A1 failed",
        "partial",
        0,
        "nothing required was decided of the selection; broken, though not required: AUTO-3a (MAY)",
        selection=True,
    ),
    Case("M1 blocked", "inconclusive", 3, "nothing was decided, 1 blocked (AUTO-1a)"),
    Case("A1 blocked", "inconclusive", 3, "nothing was decided, 1 blocked", selection=True),
    Case("M1 passed, M2 blocked", "partial", 0, "partial, certifies nothing: 1 blocked"),
    Case("M1 untested", "partial", 5, "partial, certifies nothing: 1 not tested"),
    Case("M1 waiting", "partial", 5, "partial, certifies nothing: 1 not tested"),
    Case("M1 passed, M2 untested", "partial", 0, "partial, certifies nothing: 1 not tested"),
    Case("M1 passed, M2 off", "partial", 0, "partial, certifies nothing: 1 skipped"),
    Case("M1 passed, M2 skipped", "partial", 0, "partial, certifies nothing: 1 skipped"),
    Case("M1 off", "partial", 5, "1 skipped of the selection", selection=True),
    Case("A1 off", "partial", 5, "1 skipped of the selection", selection=True),
    Case("M1 foreign", "partial", 5, "nothing applies to this subject", selection=True),
    Case("M1 foreign, A1 passed", "passed", 0, "passed of the selection", selection=True),
    Case("M1 foreign, A1 error", "inconclusive", 3, "AUTO-3a (MAY)"),
    Case("", "partial", 5, "partial, certifies nothing"),
    Case(
        "M1 passed, M2 listed",
        "passed",
        0,
        "passed but for known deviations, certifies nothing while they are not accepted by name",
    ),
    Case("M1 passed, M2 listed", "failed", 1, "1 known deviation, with --strict", strict=True),
    Case("A1 listed", "passed", 0, "passed of the selection but for known", selection=True),
    Case("M1 passed, A1 listed", "passed", 0, "but for known deviations", strict=True),
    Case("M1 passed, M2 gone", "passed", 0, "known deviations that are gone: AUTO-1b"),
    Case("M1 passed, M2 other", "failed", 1, "failed: 1 required promise broken"),
    Case("M1 listed, M2 error", "inconclusive", 3, "1 required promise unknown (AUTO-1b)"),
    Case("M1 listed, M2 failed", "failed", 1, "failed: 1 required promise broken"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_result_statement_and_exit_code(case: Case) -> None:
    run = run_of(case)
    assert (run.result, run.exit_code) == (case.result, case.code)
    assert case.says in "\n".join(run.statement)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_report_says_the_same(case: Case) -> None:
    run = run_of(case)
    document = json.loads(run_json.render(run))
    assert document["statement"] == [*run.statement]
    assert document["exit_code"] == case.code
    words = " ".join(terminal.render(run, Style(width=300), "r").split())
    assert all(line in words for line in run.statement)
    root = ET.fromstring(junit.render(run))
    for suite in root.iter("testsuite"):
        properties = {one.get("name"): one.get("value") for one in suite.iter("property")}
        assert properties["result"] == case.result
        assert properties["statement"] == "\n".join(run.statement)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_run_that_was_stopped_has_passed_nothing_and_ends_with_2(case: Case) -> None:
    for run in (run_of(case, ex.interrupted("Ctrl-C")), run_of(case, footer=False)):
        assert run.exit_code == 2
        assert run.result != "passed"
        assert not run.certifies


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_broke_besides_is_never_green(case: Case) -> None:
    run = run_of(case, ex.broke("the API server died", "last words"))
    assert run.exit_code in {1, 3}
    assert run.result == "failed" or "something broke, see ERROR" in "\n".join(run.statement)


@pytest.mark.parametrize("case", [case for case in CASES if case.code != 0], ids=str)
def test_what_is_not_green_certifies_nothing_on_any_ground(case: Case) -> None:
    ids = [id_ for _, id_ in ROWS.values()]
    run = run_of(case, certify=True, accept=ids)
    assert not run.certifies
    assert run.exit_code == case.code


def test_accepted_deviations_are_named_with_the_certificate() -> None:
    case = Case("M1 passed, M2 listed", "passed", 0, "")
    run = run_of(case, certify=True, accept=["AUTO-1b"])
    assert (run.certifies, run.exit_code) == (True, 0)
    assert run.statement[0] == (
        "passed but for known deviations, certifies Percona Operator for PostgreSQL 2.8.0 with them"
    )
    assert run.statement[1] == "known deviations that occurred: AUTO-1b"
    other = run_of(case, certify=True, accept=["AUTO-1a"])
    assert other.exit_code == 6
    assert "accepted, but no known deviation of this run: AUTO-1a" in other.statement


def test_a_certificate_names_the_images_that_it_stands_on() -> None:
    images = (
        Image(reference="percona/operator:2.8.0", digest="sha256:0a"),
        Image(reference="percona/database", stands_in="postgres (bookworm)", digest="sha256:0b"),
    )
    first = ex.header(ex.selected("AUTO-1a", "c")).model_copy(update={"images": images})
    run = judge(ex.journal(first, ex.finished("c")))
    assert run.statement == (
        "passed, certifies Percona Operator for PostgreSQL 2.8.0, on the platform embedded with"
        " the images below",
        "images its own: percona/operator:2.8.0 (sha256:0a)",
        "images standing in: postgres (bookworm) for percona/database",
    )
    assert terminal.images_of(first.subject, first.images) == run.statement[1:]


def test_images_of_the_reference_operator_are_no_news() -> None:
    images = (Image(reference="percona/database", stands_in="postgres (bookworm)"),)
    assert terminal.images_of(ex.REFERENCE, images) == ()


def test_a_deviation_that_does_not_occur_in_every_run_is_not_called_gone() -> None:
    listed = KnownDeviation(requirement="AUTO-1a", reason=EARLIER, sometimes=True)
    first = ex.header(ex.selected("AUTO-1a", "c"), deviations=[listed])
    run = judge(ex.journal(first, ex.finished("c")))
    assert run.deviations[0].state == "gone"
    assert any("do not occur in every run, nor in this: AUTO-1a" in s for s in run.statement)


def test_a_breach_that_is_another_than_the_listed_one_fails_and_says_so() -> None:
    run = run_of(Case("M1 other", "failed", 1, ""))
    assert run.requirements[0].reason == f"not only as is known of it ({EARLIER})"
    assert run.deviations[0].state == "unknown"
    assert "not only as is known" in terminal.render(run, Style(), "r")


FINDINGS = [
    ListedFinding(id="FINDING-1", says="It is wrong.", checks=("f",)),
    ListedFinding(id="FINDING-2", says="So is this."),
]


@pytest.mark.parametrize(
    ("outcome", "why", "code", "says"),
    [
        ("passed", "looked for and not seen", 5, "nothing"),
        ("error", "error: no route", 3, "unknown: FINDING-1"),
        ("blocked", "blocked: no route", 5, "nothing"),
        (None, "its check did not run", 5, "nothing"),
    ],
)
def test_a_finding_that_is_not_shown_says_why(
    outcome: Outcome | None, why: str, code: int, says: str
) -> None:
    first = ex.header().model_copy(update={"findings": tuple(FINDINGS)})
    happened = [] if outcome is None else ex.finished("f", outcome, text="no route\nlog")
    run = judge(ex.journal(first, happened))
    assert [(one.id, one.why) for one in run.unshown_findings] == [
        ("FINDING-1", why),
        ("FINDING-2", "no check shows it yet"),
    ]
    assert run.exit_code == code
    assert says in run.statement[-1]


def test_a_finding_whose_check_broke_is_said_beside_a_pass() -> None:
    first = ex.header(ex.selected("AUTO-1a", "c"))
    first = first.model_copy(update={"findings": tuple(FINDINGS)})
    run = judge(ex.journal(first, ex.finished("c"), ex.finished("f", "error", text="no route")))
    assert (run.result, run.exit_code) == ("passed", 0)
    assert run.statement[-1].endswith("; unknown: FINDING-1")


def test_findings_alone_are_no_pass() -> None:
    first = ex.header().model_copy(update={"findings": tuple(FINDINGS)})
    run = judge(ex.journal(first, ex.finished("f"), ex.shown("FINDING-1")))
    assert (run.result, run.exit_code) == ("partial", 0)
    assert [one.id for one in run.unshown_findings] == ["FINDING-2"]

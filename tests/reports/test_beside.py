"""Verdicts on several versions beside each other."""

import pytest

from reports.beside import beside, exit_code_of_all
from reports.events import Outcome
from reports.run import Run
from reports.verdicts import judge
from tests.reports import examples as ex


def _run(first: Outcome, second: Outcome) -> Run:
    rows = ex.selected("AUTO-1a", "a"), ex.selected("FIN-4", "b")
    events = ex.finished("a", first), ex.finished("b", second)
    return judge(ex.journal(ex.header(*rows), *events))


def test_the_table_has_what_differs_and_each_result() -> None:
    runs = {"2.8.0": _run("passed", "passed"), "2.9.0": _run("passed", "error"), "9.9.9": None}
    assert beside(runs).splitlines() == [
        "version  2.8.0   2.9.0         9.9.9",
        "result   passed  inconclusive  no report",
        "FIN-4    passed  error         .",
        "",
        "3 versions, 2 requirements, 1 with verdicts that differ",
    ]


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([0, 0], 0),
        ([0, 1, 3], 1),
        ([3, 0], 3),
        ([4, 1], 4),
        ([6, 0], 6),
        ([1, 2], 2),
        ([0, -9], -9),
    ],
)
def test_all_runs_end_as_the_one_that_weighs_most(codes: list[int], code: int) -> None:
    assert exit_code_of_all(codes) == code

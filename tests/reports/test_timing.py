"""Where the time of a run went."""

from reports import terminal, timing
from reports.events import Event, Footer, Took
from reports.journal import Journal
from reports.terminal import Style
from reports.verdicts import judge
from tests.reports import examples as ex


def stage(name: str, ended: float, seconds: float) -> Took:
    scenario, _, which = name.partition(" ")
    return Took(time=ended, part="stage", name=f"{scenario}, stage {which}", seconds=seconds)


def run(*events: Event) -> Journal:
    first = ex.header(ex.selected("AUTO-1", "suites/test_auto.py::test_tls"))
    end = Footer(time=first.time + 125.0)
    return Journal(
        header=first, events=(*events, *ex.finished("suites/test_auto.py::test_tls"), end)
    )


MEASURED = run(
    Took(time=2.0, part="platform", name="kind", seconds=75.4),
    Took(time=3.0, part="operator", name="2.9.0", seconds=11.25),
    stage("auto deployed", 20.0, 12.0),
    stage("custom deployed", 22.0, 10.0),
    stage("custom updated", 30.0, 4.0),
    stage("fin deleted", 40.0, 0.5),
    stage("fin kept", 41.0, 0.25),
    Took(time=50.0, part="taking down", name="scenarios", seconds=1.0),
    Took(time=51.0, part="taking down", name="the platform kind", seconds=2.5),
)


def test_it_is_said_where_time_went_and_what_was_slowest() -> None:
    output = terminal.render(judge(MEASURED), Style(width=80), "r")
    assert (
        """\
time      1 min 15 s  platform kind
              11.2 s  operator 2.9.0
              18.8 s  scenarios, side by side; 26.8 s one after the other
               1.0 s  checks
               3.5 s  taking down
          2 min 05 s  in all

slowest   12.0 s  scenario auto, stage deployed
          10.0 s  scenario custom, stage deployed
           4.0 s  scenario custom, stage updated
           1.0 s  check test_tls (AUTO-1)
          0.50 s  scenario fin, stage deleted

"""
        in output
    )


def test_a_run_that_measured_nothing_says_nothing_of_time() -> None:
    assert timing.parts(judge(run())) == []
    assert timing.slowest(judge(run())) == []

"""Where the time of a run went, and what was slowest."""

from collections.abc import Iterable
from dataclasses import dataclass

from reports.run import Run, TimeRecord
from reports.text import one_line

SLOWEST = 5


@dataclass(frozen=True, kw_only=True)
class Span:
    """A part of a run, and how long it took."""

    name: str
    seconds: float

    @property
    def time(self) -> str:
        """The time as a person reads it: 0.42 s, 12.3 s, 4 min 05 s."""
        return _told(self.seconds)


def parts(run: Run) -> list[Span]:
    """Return where time went, in the run's order; nothing where that was not measured."""
    if not run.times:
        return []
    found = [
        Span(name=one_line(f"{part} {each.name}"), seconds=each.seconds)
        for part in ("platform", "operator")
        for each in _of(run, part)
    ]
    if stages := _of(run, "stage"):
        after = _told(sum(each.seconds for each in stages))
        name = f"scenarios, side by side; {after} one after the other"
        found.append(Span(name=name, seconds=_covered(stages)))
    checks = {check.id: check.seconds for row in run.requirements for check in row.checks}
    found.append(Span(name="checks", seconds=sum(checks.values())))
    if down := _of(run, "taking down"):
        found.append(Span(name="taking down", seconds=sum(each.seconds for each in down)))
    if run.finished is not None:
        found.append(Span(name="in all", seconds=run.finished - run.started))
    return found


def slowest(run: Run) -> list[Span]:
    """Return the slowest stages and checks, the slowest first; none where none was measured."""
    if not run.times:
        return []
    found = {
        f"check {check.id.rpartition('::')[2]} ({row.id})": check.seconds
        for row in run.requirements
        for check in row.checks[:1]
    }
    found |= {f"scenario {each.name}": each.seconds for each in _of(run, "stage")}
    longest = sorted(found.items(), key=lambda each: -each[1])[:SLOWEST]
    return [Span(name=one_line(name), seconds=seconds) for name, seconds in longest if seconds > 0]


def _of(run: Run, part: str) -> list[TimeRecord]:
    return [each for each in run.times if each.part == part]


def _covered(records: Iterable[TimeRecord]) -> float:
    """Return how long at least one of them was going on."""
    covered, until = 0.0, 0.0
    for began, ended in sorted((each.ended - each.seconds, each.ended) for each in records):
        covered += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return covered


def _told(value: float) -> str:
    if value >= 60:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest:02d} s"
    return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"

"""From pytest's phases to the outcome of a check."""

import traceback
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fixtures.run.hooks import WAITED
from fixtures.run.outcomes import Blocked
from reports.events import CheckFinished, Difference, Element, Outcome
from suites.breach import Breach, EachElement


@dataclass
class CheckState:
    """The state of a check while it runs.

    `broke` is an error that came after the check had its outcome: it decides nothing more, and
    says that the environment broke.
    """

    outcome: Outcome = "passed"
    text: str = ""
    broke: str = ""
    trace: str = ""
    seconds: float = 0.0
    differences: tuple[Difference, ...] = ()
    each: EachElement | None = None
    findings: list[str] = field(default_factory=list)

    def phase(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Take in a phase: set-up, the check itself, or tear-down."""
        self.seconds += call.duration
        if call.excinfo is None:
            return
        error = call.excinfo.value
        if self.outcome != "passed":
            self.broke = self.broke or f"{item.nodeid}: {describe_error(error, call.when)}"
            self._keep_trace(error)
        elif isinstance(error, pytest.skip.Exception):
            self._end("skipped", str(error))
        elif isinstance(error, Blocked):
            self._end("blocked", error.on)
        elif isinstance(error, AssertionError) and call.when == "call":
            self._end("failed", "")
            self.differences = _differences(item, error)
        else:
            self._end("error", describe_error(error, call.when))
            self._keep_trace(error)

    def finished(self, item: pytest.Item, time: float) -> CheckFinished:
        """Make the journal's event of it."""
        decided = item.iter_markers("requirement")
        waited = sum(float(str(value)) for name, value in item.user_properties if name == WAITED)
        return CheckFinished(
            time=time,
            check=item.nodeid,
            requirements=tuple(dict.fromkeys(id_ for mark in decided for id_ in mark.args)),
            findings=tuple(self.findings),
            outcome=self.outcome,
            seconds=round(max(self.seconds - waited, 0.0), 4),
            waited=round(waited, 4),
            differences=self.differences,
            elements=self.elements,
            text=self.text,
            evidence=_properties(item, "evidence"),
            namespaces=_properties(item, "namespace"),
        )

    @property
    def elements(self) -> tuple[Element, ...]:
        """The elements that the check named."""
        return tuple(self.each.elements) if self.each else ()

    def _keep_trace(self, error: BaseException) -> None:
        self.trace += "".join(traceback.format_exception(error))

    def _end(self, outcome: Outcome, text: str) -> None:
        self.outcome, self.text = outcome, text


def _properties(item: pytest.Item, key: str) -> tuple[str, ...]:
    """What was kept with a check under a name, each once."""
    return tuple(dict.fromkeys(str(value) for name, value in item.user_properties if name == key))


def _differences(item: pytest.Item, error: AssertionError) -> tuple[Difference, ...]:
    """A breach says it itself; of a bare assertion there are only its words."""
    if isinstance(error, Breach):
        return error.differences
    frames = traceback.extract_tb(error.__traceback__)
    last = next((f for f in reversed(frames) if f.filename == str(item.path)), frames[-1])
    doc = (getattr(getattr(item, "obj", None), "__doc__", None) or "").strip()
    return (
        Difference(
            where=f"{item.nodeid}, line {last.lineno}",
            promised=doc.partition("\n")[0] or last.line or "",
            seen=str(error) or f"not true: {last.line}",
        ),
    )


def describe_error(error: BaseException, when: str = "call") -> str:
    """Say an error with its kind and place; further lines, such as a log's tail, follow."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename] or list(frames)
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "unknown"
    phase = {"setup": "while preparing, ", "teardown": "while clearing up, "}.get(when, "")
    notes: list[str] = getattr(error, "__notes__", [])
    first, *rest = [*str(error).split("\n"), *notes]
    if isinstance(error, BaseExceptionGroup):
        rest += [describe_error(one) for one in error.exceptions]
    return "\n".join([f"{phase}{type(error).__name__}: {first} ({place})", *rest])

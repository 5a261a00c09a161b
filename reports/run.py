"""The judged run: the model that run.json publishes, and every other report is made from."""

from typing import Any, Literal

from pydantic import Field

from reports.events import (
    SCHEMA,
    Asked,
    Difference,
    Element,
    Fact,
    Image,
    Level,
    Platform,
    Subject,
    Suite,
)
from reports.moments import Moment

Verdict = Literal[
    "passed",
    "failed",
    "known-deviation",
    "error",
    "blocked",
    "not-applicable",
    "skipped",
    "not-tested",
]
Result = Literal["failed", "inconclusive", "partial", "passed"]
CheckState = Literal["passed", "failed", "error", "blocked", "skipped", "cut-off", "not-run"]

VERDICTS: tuple[Verdict, ...] = (
    "failed",
    "error",
    "blocked",
    "known-deviation",
    "skipped",
    "not-tested",
    "not-applicable",
    "passed",
)


class CheckRecord(Fact):
    """One check, and what it saw."""

    id: str = Field(description="the check's pytest node id")
    outcome: CheckState = Field(description="cut-off: it began and did not end")
    seconds: float = Field(default=0.0, description="its own, without what it waited for stages")
    waited: float = Field(default=0.0, description="seconds until the stages that it reads ended")
    differences: tuple[Difference, ...] = Field(default=(), description="the breaches")
    elements: tuple[Element, ...] = Field(default=(), description='one for each of "each of"')
    text: str = Field(default="", description="why it is an error, blocked or skipped")
    evidence: tuple[str, ...] = Field(default=(), description="files, from the report directory")
    namespaces: tuple[str, ...] = Field(default=(), description="where it looked")


class RequirementRecord(Fact):
    """One requirement, its verdict, and the checks that decided it."""

    id: str
    chapter: str
    promise: str
    level: Level
    required: bool = Field(description="level MUST and applicable: it counts for the result")
    verdict: Verdict
    reason: str = Field(default="", description="in words, where the verdict needs some")
    checks: tuple[CheckRecord, ...] = ()
    link: str = Field(default="", description="the section of the page that promises it")

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of its checks that did not pass."""
        found = (check.namespaces for check in self.checks)
        return tuple(dict.fromkeys(name for names in found for name in names))


class DeviationRecord(Fact):
    """A listed deviation of this version of the subject, and whether it occurred in this run."""

    requirement: str
    reason: str
    link: str = ""
    review_by: str = ""
    sometimes: bool = Field(default=False, description="it does not occur in every run")
    state: Literal["occurred", "gone", "unknown"] = Field(
        description="gone: the promise was kept; unknown: the requirement was not decided, or is"
        " broken in another way"
    )


class UnshownFinding(Fact):
    """An error of the documentation that is on the list and that this run did not show."""

    id: str
    says: str
    why: str
    unknown: bool = Field(default=False, description="its check ended in an error")


class FindingRecord(Fact):
    """An error of the documentation, as it was seen."""

    id: str
    says: str
    where: str = ""
    seen: str
    evidence: tuple[str, ...] = ()


class TimeRecord(Fact):
    """A part of the run besides its checks, such as a stage of a scenario, and its time."""

    part: str = Field(description="platform, operator, stage or taking down")
    name: str
    ended: Moment
    seconds: float


class Breakdown(Fact):
    """Something that broke in the environment or the suite, with its log's tail."""

    text: str
    log: str = ""


class Run(Fact):
    """A run, judged. A pure function of its journal."""

    schema_version: int = SCHEMA
    run: str = Field(description="id of the run, as on the labels of all that it creates")
    tool: str
    suite: Suite | None = Field(default=None, description="the version and commit that judged")
    command: tuple[str, ...] = Field(default=(), description="without what is secret in it")
    started: Moment
    finished: Moment | None = Field(description="null: the run was cut off")
    result: Result
    exit_code: int
    statement: tuple[str, ...] = Field(default=(), description="the result in words, by lines")
    interrupted: str = Field(default="", description="by what; empty if it was not")
    cut_off: bool = Field(default=False, description="killed: what is missing was not tested")
    selection: bool = Field(description="a part of the catalogue only, chosen by the user")
    certifies: bool
    obstacles: tuple[str, ...] = Field(description="why it does not certify")
    platform: Platform | None
    subject: Subject | None
    images: tuple[Image, ...] = ()
    settings: dict[str, Any]
    catalogue: str = Field(description="SHA-256 of the catalogue")
    counts: dict[Verdict, int]
    requirements: tuple[RequirementRecord, ...]
    deviations: tuple[DeviationRecord, ...] = ()
    findings: tuple[FindingRecord, ...] = ()
    unshown_findings: tuple[UnshownFinding, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()
    notices: tuple[str, ...] = ()
    times: tuple[TimeRecord, ...] = Field(default=(), description="what time went into")

    def with_verdict(self, verdict: Verdict) -> list[RequirementRecord]:
        """The requirements that have this verdict, in the catalogue's order."""
        return [row for row in self.requirements if row.verdict == verdict]

    @property
    def asked(self) -> Asked:
        """The settings that decide on the result."""
        return Asked.model_validate(self.settings)

    @property
    def reference(self) -> bool:
        """True if the subject is the project's own operator."""
        return self.subject is not None and self.subject.reference

    @property
    def broken_findings(self) -> list[UnshownFinding]:
        """The findings whose check came to no end of its own, so that nothing is known of them."""
        return [one for one in self.unshown_findings if one.unknown]

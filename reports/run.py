"""The judged run: the model that run.json publishes, and every other report is made from."""

from typing import Any, Literal

from pydantic import Field

from reports.events import SCHEMA, Asked, Difference, Element, Fact, Image, Level, Platform, Subject

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
    seconds: float = 0.0
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


class FindingRecord(Fact):
    """An error of the documentation, as it was seen."""

    id: str
    says: str
    where: str = ""
    seen: str
    evidence: tuple[str, ...] = ()


class Breakdown(Fact):
    """Something that broke in the environment or the suite, with its log's tail."""

    text: str
    log: str = ""


class Run(Fact):
    """A run, judged. A pure function of its journal."""

    schema_version: int = SCHEMA
    run: str = Field(description="id of the run, as on the labels of all that it creates")
    tool: str
    started: float = Field(description="seconds since 1970")
    finished: float | None = Field(description="null: the run was cut off")
    result: Result
    exit_code: int
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
    findings: tuple[FindingRecord, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()

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

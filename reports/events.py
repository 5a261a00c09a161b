"""The lines of a journal: what happened in a run, in the order in which it happened.

Every report is made from these and nothing else, so they carry all that a reader needs: the
promise beside its id, the words of a breach, where the evidence lies.
"""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from reports.moments import Moment
from reports.text import encodable

SCHEMA = 2

Level = Literal["MUST", "SHOULD", "MAY"]
Outcome = Literal["passed", "failed", "error", "blocked", "skipped"]


class _Mark(Enum):
    WORDS = "words"


Words = Annotated[str, _Mark.WORDS]
"""Free text: what servers, programs and checks said, as against ids, names and outcomes."""


class Fact(BaseModel):
    """The base of everything in a journal: frozen, and strict about unknown fields.

    Lone surrogates, which no file can hold, are spelled out in all of its text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _encodable(cls, values: Any) -> Any:
        return _each_text(values, encodable)

    def reworded(self, change: Callable[[str], str]) -> Self:
        """The same with `change` applied to all free text in it, and to nothing else."""
        changed = {}
        for name, field in type(self).model_fields.items():
            apply = _each_text if _Mark.WORDS in field.metadata else _within
            changed[name] = apply(getattr(self, name), change)
        return self.model_copy(update=changed)


class Platform(Fact):
    """The platform that Kubernetes came from."""

    name: str
    detail: Words = ""


class Subject(Fact):
    """The operator that was judged."""

    name: str
    version: str
    reference: bool = Field(description="the project's own operator: such a run certifies nothing")
    image: str = ""


class Suite(Fact):
    """What judged: this suite, as far as it can be told."""

    version: str
    commit: str | None = Field(default=None, description="null: not from a git checkout")
    dirty: bool | None = Field(default=None, description="files differ from those of the commit")


class Image(Fact):
    """An image that ran, and what stood in for it."""

    reference: str
    stands_in: str = ""
    digest: str = ""


class Selected(Fact):
    """A requirement that this run is about, as it applies to this subject."""

    id: str
    chapter: str
    promise: str
    level: Level
    not_applicable: str = Field(default="", description="the reason; empty where it applies")
    skipped: Words = Field(default="", description="the user's reason; empty where it is judged")
    checks: tuple[str, ...] = Field(default=(), description="the checks that decide it")
    link: str = Field(default="", description="the section of the page that promises it")


class KnownDeviation(Fact):
    """A breach that is listed for this version of the subject: it does not fail the run."""

    requirement: str
    reason: str = Field(description="in which versions, and what happens instead")
    link: str = Field(default="", description="where it is reported or explained")
    review_by: str = Field(default="", description="a date: by then somebody looks at it again")
    sometimes: bool = Field(default=False, description="it does not occur in every run")
    breach: str = Field(
        default="",
        description="a regular expression that is found in each breach that is meant; another"
        " breach of the requirement fails it. Empty: any breach is meant",
    )


class ListedFinding(Fact):
    """An error of the documentation that is on the list, and the checks that show it."""

    id: str
    says: str
    checks: tuple[str, ...] = Field(default=(), description="none: nothing shows it yet")


class Asked(Fact):
    """The settings of a run that decide on its result; the others are only kept."""

    model_config = ConfigDict(extra="ignore")

    strict_deviations: bool = False
    certify: bool = False
    accept: tuple[str, ...] = ()


class Header(Fact):
    """The first line."""

    event: Literal["run-started"] = "run-started"
    schema_version: int = SCHEMA
    run: str = Field(description="id of the run, as on the labels of all that it creates")
    time: Moment
    tool: str = Field(description="this suite's version")
    suite: Suite | None = None
    command: Annotated[tuple[str, ...], _Mark.WORDS] = Field(
        default=(), description="the command line, without what is secret in it"
    )
    settings: Annotated[dict[str, Any], _Mark.WORDS]
    platform: Platform | None = Field(description="None: it did not come up")
    subject: Subject | None = Field(description="None: the platform or operator did not come up")
    images: tuple[Image, ...] = ()
    catalogue: str = Field(description="SHA-256 of the catalogue")
    selection: bool = Field(description="the user chose a part of the catalogue")
    requirements: tuple[Selected, ...]
    known_deviations: tuple[KnownDeviation, ...] = ()
    findings: tuple[ListedFinding, ...] = Field(
        default=(), description="those that this run is about"
    )
    notices: Annotated[tuple[str, ...], _Mark.WORDS] = Field(
        default=(), description="what a reader should know of the suite's own lists"
    )

    @field_validator("settings")
    @classmethod
    def _readable(cls, settings: dict[str, Any]) -> dict[str, Any]:
        Asked.model_validate(settings)
        return settings


class Difference(Fact):
    """One breach, as a person needs it: where, what was promised, what was seen, what next."""

    where: Words
    promised: Words
    seen: Words
    look_at: Words = ""


class Element(Fact):
    """One of "each of": an endpoint, an object, a name, a variant, and how it came out."""

    name: Words
    outcome: Literal["passed", "failed", "error"]


class CheckStarted(Fact):
    """A check began; without its end the run was cut off in it."""

    event: Literal["check-started"] = "check-started"
    time: Moment
    check: str


class CheckFinished(Fact):
    """A check ended. `text` says why it is an error, blocked or skipped."""

    event: Literal["check-finished"] = "check-finished"
    time: Moment
    check: str
    requirements: tuple[str, ...] = ()
    findings: tuple[str, ...] = Field(default=(), description="findings that it shows")
    outcome: Outcome
    seconds: float = Field(default=0.0, description="its own, without what it waited for stages")
    waited: float = Field(default=0.0, description="seconds until the stages that it reads ended")
    differences: tuple[Difference, ...] = ()
    elements: tuple[Element, ...] = ()
    text: Words = ""
    evidence: tuple[str, ...] = Field(default=(), description="files, from the report directory")
    namespaces: tuple[str, ...] = Field(default=(), description="where it looked")


class FindingShown(Fact):
    """An error of the documentation was seen."""

    event: Literal["finding-shown"] = "finding-shown"
    time: Moment
    finding: str
    says: str
    where: Words = ""
    seen: Words
    evidence: tuple[str, ...] = ()


class Note(Fact):
    """Something worth keeping that decides nothing."""

    event: Literal["note"] = "note"
    time: Moment
    text: Words
    details: Annotated[dict[str, str], _Mark.WORDS] = {}


class Took(Fact):
    """A part of the run besides its checks that ended, and how long it took."""

    event: Literal["took"] = "took"
    time: Moment
    part: Literal["platform", "operator", "stage", "taking down"]
    name: Words
    seconds: float


class EnvironmentBroke(Fact):
    """The environment or the suite broke: what was not decided by then is unknown."""

    event: Literal["environment-broke"] = "environment-broke"
    time: Moment
    text: Words
    log: Words = Field(default="", description="the tail of the log that tells")


class Interrupted(Fact):
    """The user, or a parent process that ended, stopped the run."""

    event: Literal["interrupted"] = "interrupted"
    time: Moment
    by: str


class Footer(Fact):
    """The last line: the run came to its end, however it went."""

    event: Literal["run-finished"] = "run-finished"
    time: Moment


Event = (
    Header
    | CheckStarted
    | CheckFinished
    | FindingShown
    | Note
    | Took
    | EnvironmentBroke
    | Interrupted
    | Footer
)
AnyEvent = Annotated[Event, Field(discriminator="event")]


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """The value with `change` applied to each text in it; keys of a table are names and stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _each_text(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_each_text(item, change) for item in value)
    return value


def _within(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Fact):
        return value.reworded(change)
    if isinstance(value, tuple):
        return tuple(_within(item, change) for item in value)
    return value

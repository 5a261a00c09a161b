"""Known deviations: promises that a released version is known to break, as data.

A listed breach that occurs is a verdict of its own, which does not fail the run; one that does not
occur is reported as gone. An entry speaks of Percona's operator. The reference operator has none,
so that each of its faults is a failure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from fixtures.run.usage import UsageError
from suites.rows import Row, read_rows
from suites.versions import Version

FILE = "known_deviations.yaml"
_BOUND = re.compile(r"\d+\.\d+(\.\d+)?")


class Bound(NamedTuple):
    """An end of a range of versions, the end included: 2.9 is all of 2.9, 2.9.1 that alone."""

    major: int
    minor: int
    patch: int | None = None

    @classmethod
    def parse(cls, text: object) -> "Bound":
        """Read `2.9` or `2.9.1`. Raises ValueError."""
        if isinstance(text, cls):
            return text
        if not isinstance(text, str) or not _BOUND.fullmatch(text):
            raise ValueError(f"{text!r} is not a version; write it in quotes, as 2.9 or 2.9.1")
        return cls(*(int(number) for number in text.split(".")))

    @property
    def lowest(self) -> Version:
        """The first version that it means."""
        return Version(self.major, self.minor, self.patch or 0)

    def reached(self, version: Version) -> bool:
        """Return whether a version is not beyond it."""
        if self.patch is None:
            return version.line <= (self.major, self.minor)
        return version <= self.lowest

    def __str__(self) -> str:
        patch = "" if self.patch is None else f".{self.patch}"
        return f"{self.major}.{self.minor}{patch}"


class Deviation(Row):
    """A promise that some versions break, and how; `breach` tells it from other breaches of it."""

    requirement: str
    since: Annotated[Bound, BeforeValidator(Bound.parse)] = Field(alias="from")
    until: Annotated[Bound, BeforeValidator(Bound.parse)]
    instead: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    review_by: date = Field(alias="review-by")
    sometimes: bool = False
    breach: str = ""

    @model_validator(mode="after")
    def _sound(self) -> "Deviation":
        if not self.until.reached(self.since.lowest):
            raise ValueError(f"from {self.since} until {self.until} is no range of versions")
        try:
            re.compile(self.breach)
        except re.error as error:
            raise ValueError(f"breach is no regular expression: {error}") from None
        return self

    @property
    def versions(self) -> str:
        """The range in words: "2.6 to 3.1"."""
        return f"{self.since} to {self.until}" if self.since != self.until else f"{self.since}"

    @property
    def reason(self) -> str:
        """The versions, and what happens instead."""
        return f"{self.versions}: {self.instead}"

    def covers(self, version: Version) -> bool:
        """Return whether a version is known to deviate."""
        return self.since.lowest <= version and self.until.reached(version)


def load(
    directory: Path, promised: Mapping[str, tuple[Version, Version | None]]
) -> tuple[Deviation, ...]:
    """Read the list; without the file nothing is known. Raises UsageError.

    `promised` holds the first and last version of each requirement of the catalogue.
    """
    path = directory / FILE
    if not path.exists():
        return ()
    found = tuple(read_rows(Deviation, path))
    for entry in found:
        _refuse_unpromised(entry, promised)
    _refuse_overlaps(found)
    return found


def overdue(entries: Iterable[Deviation], today: date) -> Iterator[str]:
    """Say of each entry that nobody has looked at in time."""
    for entry in entries:
        if entry.review_by < today:
            yield (
                f"{FILE}: {entry.requirement} ({entry.versions}) was to be reviewed by"
                f" {entry.review_by}; see whether it still holds, and set a new date"
            )


def _refuse_unpromised(
    entry: Deviation, promised: Mapping[str, tuple[Version, Version | None]]
) -> None:
    since, until = promised.get(entry.requirement, (None, None))
    if since is None:
        raise UsageError(
            f"{FILE}: {entry.requirement}, requirement: no such row in requirements.yaml."
            " Correct the file."
        )
    if entry.since.lowest.line < since.line:
        first = "{}.{}".format(*since.line)
        raise UsageError(
            f"{FILE}: {entry.requirement}, from: it is promised from {first} on, so nothing"
            f" deviates in {entry.since}. Correct the file."
        )
    if until is not None and not entry.until.lowest.line <= until.line:
        last = "{}.{}".format(*until.line)
        raise UsageError(
            f"{FILE}: {entry.requirement}, until: it is promised up to {last}, so nothing"
            f" deviates in {entry.until}. Correct the file."
        )


def _refuse_overlaps(entries: Iterable[Deviation]) -> None:
    seen: dict[str, list[Deviation]] = {}
    for entry in entries:
        for other in seen.setdefault(entry.requirement, []):
            if other.until.reached(entry.since.lowest) and entry.until.reached(other.since.lowest):
                raise UsageError(
                    f"{FILE}: {entry.requirement} is listed for {other.versions} and for"
                    f" {entry.versions}, which overlap; make one entry of them."
                )
        seen[entry.requirement].append(entry)

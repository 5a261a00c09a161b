"""Versions of the operator, and levels that change with them."""

import re
from typing import Literal, NamedTuple, Self

LevelName = Literal["MUST", "SHOULD", "MAY"]

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?")
_LEVEL = re.compile(r"(MUST|SHOULD|MAY)(?: from (\d+\.\d+))?")


class Version(NamedTuple):
    """A version as far as it matters here: `2.8` is 2.8.0, and a suffix is ignored."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2.8`, `2.8.0` or `3.1.0-dev`. Raises ValueError."""
        match = _VERSION.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a version; write it as 2.8 or 2.8.0")
        return cls(int(match[1]), int(match[2]), int(match[3] or 0))

    @property
    def line(self) -> tuple[int, int]:
        """The release line, which is what a row's range speaks of: 2.8 of 2.8.1."""
        return self.major, self.minor

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class LevelStep(NamedTuple):
    """A level, and the release line it begins with."""

    level: LevelName
    since: tuple[int, int]


def parse_levels(text: str) -> tuple[LevelStep, ...]:
    """Read "MUST; SHOULD from 3.1", oldest first. Raises ValueError."""
    steps: list[LevelStep] = []
    for part in text.split("; "):
        match = _LEVEL.fullmatch(part)
        if match is None or bool(steps) != bool(match[2]):
            raise ValueError(f'{text!r} is not a level; write "MUST" or "MUST; SHOULD from 3.1"')
        since = Version.parse(match[2]).line if match[2] else (0, 0)
        if steps and since <= steps[-1].since:
            raise ValueError(f"{text!r}: the versions do not go up")
        steps.append(LevelStep(level=match[1], since=since))  # type: ignore[arg-type]  # by _LEVEL
    return tuple(steps)


def level_at(levels: tuple[LevelStep, ...], version: Version | None) -> LevelName:
    """Give the level that holds for a version; while it is unknown, the oldest."""
    line = version.line if version else (0, 0)
    return [step.level for step in levels if step.since <= line][-1]

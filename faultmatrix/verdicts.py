"""What a run of the verifier found, read from its run.json and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PASSED = "passed"
HIT = frozenset({"failed", "known-deviation", "error"})
"""Verdicts of a requirement that was looked at and is not green; what is blocked was not."""
UNSEEN = frozenset({"blocked", "not-tested", "skipped", "not-applicable"})


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict of a requirement, and in a line why."""

    verdict: str
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The verdicts of a run by requirement, and what broke beside them."""

    verdicts: Mapping[str, Verdict]
    breakdowns: tuple[str, ...] = ()

    def of(self, requirement: str) -> Verdict:
        """The verdict of a requirement; one that the run does not mention was not tested."""
        return self.verdicts.get(requirement, Verdict(verdict="not-tested"))


def read(file: Path) -> Findings:
    """Read a run.json. Raises OSError, or ValueError where it is not one."""
    try:
        run: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return Findings(
            verdicts={
                row["id"]: Verdict(verdict=row["verdict"], why=_why(row))
                for row in run["requirements"]
            },
            breakdowns=tuple(str(each["text"]) for each in run["breakdowns"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{file} is not a run.json: {error!r}") from error


def _why(row: dict[str, Any]) -> str:
    """The first breach, or the reason that the verifier gives."""
    for check in row["checks"]:
        for breach in check["differences"]:
            return f"{breach['where']}: {breach['seen']}"
    lines = str(row["reason"]).splitlines()
    return lines[0] if lines else ""

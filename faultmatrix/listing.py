"""The verifier's list of its checks: which decide a requirement, and where they stand.

It is asked as a program (`pytest suites --list-json`): nothing of it is imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check by its pytest node id, and the scenarios that it looks at."""

    id: str
    scenarios: frozenset[str]


@dataclass(frozen=True)
class Listing:
    """The checks that decide each requirement, in the catalogue's order."""

    checks: Mapping[str, tuple[Check, ...]]

    @classmethod
    def parse(cls, text: str) -> Listing:
        """Read the verifier's answer. Raises ValueError for anything else."""
        try:
            rows: list[dict[str, Any]] = json.loads(text)["requirements"]
            return cls({row["id"]: tuple(map(_check, row["checks"])) for row in rows})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a listing of checks: {error!r}") from error

    @property
    def decided(self) -> tuple[str, ...]:
        """The requirements that some check decides."""
        return tuple(id_ for id_, checks in self.checks.items() if checks)

    def scenarios(self, requirements: Iterable[str]) -> frozenset[str]:
        """The scenarios that must be deployed to decide these requirements."""
        return frozenset(
            name
            for id_ in requirements
            for check in self.checks.get(id_, ())
            for name in check.scenarios
        )

    def within(self, scenarios: frozenset[str]) -> tuple[str, ...]:
        """The node ids of all checks that look at nothing but these scenarios, each once."""
        found = {
            check.id: None
            for checks in self.checks.values()
            for check in checks
            if check.scenarios and check.scenarios <= scenarios
        }
        return tuple(found)

    def decidable(self, scenarios: frozenset[str]) -> frozenset[str]:
        """The requirements of which every check looks at nothing but these scenarios."""
        return frozenset(
            id_
            for id_ in self.decided
            if all(c.scenarios and c.scenarios <= scenarios for c in self.checks[id_])
        )


def _check(entry: dict[str, Any]) -> Check:
    return Check(id=entry["id"], scenarios=frozenset(entry["scenarios"]))

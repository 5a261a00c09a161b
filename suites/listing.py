"""--list-json: the checks of each requirement, and the scenarios of each check.

For programs that choose checks, as the one does that shows that each fault is caught.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from suites.catalogue import Requirement
from suites.index import Check

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class ListedCheck:
    """A check: its pytest node id, and the names of its scenarios."""

    id: str
    scenarios: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ListedRequirement:
    """A requirement, and the checks that decide it; none, where it is not decided yet."""

    id: str
    chapter: str
    level: str
    checks: tuple[ListedCheck, ...]


def render(
    rows: Sequence[Requirement], checks: Sequence[Check], root: Path, scenarios: frozenset[str]
) -> str:
    """Give the listing as JSON; `scenarios` are the names of all that there are."""
    listed = [
        ListedRequirement(
            id=row.id,
            chapter=row.chapter,
            level=row.levels,
            checks=tuple(
                ListedCheck(
                    id=check.node(root),
                    scenarios=tuple(name for name in check.asks if name in scenarios),
                )
                for check in checks
                if row.id in check.ids
            ),
        )
        for row in rows
    ]
    document = {"schema_version": SCHEMA, "requirements": [asdict(one) for one in listed]}
    return json.dumps(document, indent=2) + "\n"

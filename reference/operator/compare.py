"""Comparison of an object with what is wanted, so that nothing is written in vain."""

from __future__ import annotations

from typing import Any


def covers(actual: Any, wanted: Any) -> bool:
    """Return whether all that is wanted is there; what servers add beside it does not count."""
    if isinstance(wanted, dict):
        found = actual if isinstance(actual, dict) else {}
        return all(covers(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        found_list = actual if isinstance(actual, list) else []
        return len(found_list) == len(wanted) and all(map(covers, found_list, wanted))
    return bool(actual == wanted)

"""Small tools for JSON values."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def encode(value: Any) -> bytes:
    """Compact JSON in UTF-8; raises ValueError for what JSON cannot say."""
    return _ENCODER.encode(value).encode()


def copied(value: Any) -> Any:
    """A deep copy of a JSON value."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: unlike `==`, 1 differs from true and from 1.0."""
    return bool(one == other) and _alike(one, other)


def _alike(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, dict):
        return all(_alike(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return all(map(_alike, one, other))
    return type(one) is type(other)


def at(value: Any, *path: str) -> Any:
    """The member at the path; None where a step is missing or not an object."""
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value

"""Filling in the defaults of a structural schema."""

from __future__ import annotations

from typing import Any

from embedded.api.jsons import Json, copied


def fill(schema: Json, value: Any) -> None:
    """Fill in, in place; a default that is an object is filled in itself."""
    if isinstance(value, dict):
        for name, part in (schema.get("properties") or {}).items():
            if name not in value and part.get("default") is not None:
                value[name] = copied(part["default"])
            if name in value:
                fill(part, value[name])
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            for name in value.keys() - (schema.get("properties") or {}).keys():
                fill(more, value[name])
    elif isinstance(value, list):
        for item in value:
            fill(schema.get("items") or {}, item)

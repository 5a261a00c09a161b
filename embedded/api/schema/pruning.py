"""Leaving out what a structural schema does not know, and nulls where none are allowed.

Rules: Kubernetes documentation, "Extend the Kubernetes API with CustomResourceDefinitions", field
pruning and defaulting.
"""

from __future__ import annotations

from typing import Any

from embedded.api.jsons import Json

_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_TYPED = frozenset({"apiVersion", "kind", "metadata"})


def pruned(schema: Json, value: Any, unknown: list[str], path: str = "") -> Any:
    """A fresh value; the names that were left out are listed."""
    if isinstance(value, dict):
        return _object(schema, value, unknown, path)
    if isinstance(value, list):
        element = schema.get("items") or {_PRESERVE: True}
        return [pruned(element, item, unknown, f"{path}[{at}]") for at, item in enumerate(value)]
    return value


def _object(schema: Json, value: Json, unknown: list[str], path: str) -> Json:
    result = {}
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        part = _part(schema, name)
        if part is None:
            unknown.append(where)
        elif item is not None or part.get("nullable") or part.get(_PRESERVE):
            result[name] = pruned(part, item, unknown, where)
    return result


def _part(schema: Json, name: str) -> Json | None:
    """The schema of a member; None for one that is not known."""
    known = (schema.get("properties") or {}).get(name)
    if known is not None:
        found: Json = known
        return found
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        return more
    typed = schema.get(_EMBEDDED) and name in _TYPED
    return {_PRESERVE: True} if more or typed or schema.get(_PRESERVE) else None

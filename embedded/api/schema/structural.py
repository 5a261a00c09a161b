"""The demand on a CRD that its schema be structural.

Rules: Kubernetes documentation, "Specifying a structural schema".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from embedded.api.errors import Cause
from embedded.api.jsons import Json

_TYPES = {"array", "boolean", "integer", "number", "object", "string"}


def causes(schema: Json, path: str) -> Iterator[Cause]:
    """Yield the causes for which a schema is refused."""
    free = schema.get("x-kubernetes-int-or-string") or schema.get(
        "x-kubernetes-preserve-unknown-fields"
    )
    kind = schema.get("type")
    if not kind and not free:
        text = "Required value: must not be empty for specified object fields"
        yield Cause(field=f"{path}.type", reason="FieldValueRequired", message=text)
    elif kind and kind not in _TYPES:
        text = f'Unsupported value: "{kind}"'
        yield Cause(field=f"{path}.type", reason="FieldValueNotSupported", message=text)
    yield from _pattern(schema, path)
    keys = schema.get("x-kubernetes-list-map-keys")
    if schema.get("x-kubernetes-list-type") == "map" and not keys:
        where = f"{path}.x-kubernetes-list-map-keys"
        yield Cause(field=where, reason="FieldValueRequired", message="Required value")
    for part, where in parts(schema, path):
        yield from causes(part, where)


def _pattern(schema: Json, path: str) -> Iterator[Cause]:
    try:
        re.compile(schema.get("pattern") or "")
    except re.error as error:
        text = f"Invalid value: {schema['pattern']!r}: {error}"
        yield Cause(field=f"{path}.pattern", reason="FieldValueInvalid", message=text)


def parts(schema: Json, path: str) -> Iterator[tuple[Json, str]]:
    """The schemas of members and items."""
    for name, part in (schema.get("properties") or {}).items():
        yield part, f"{path}.properties[{name}]"
    if isinstance(schema.get("items"), dict):
        yield schema["items"], f"{path}.items"
    if isinstance(schema.get("additionalProperties"), dict):
        yield schema["additionalProperties"], f"{path}.additionalProperties"

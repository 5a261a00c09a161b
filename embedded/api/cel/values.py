"""JSON values as CEL has them, by their schema."""

from __future__ import annotations

import re
from typing import Any

from celpy import celtypes
from celpy.adapter import json_to_cel

from embedded.api.jsons import Json

_KEYWORDS = frozenset(
    (
        *("as", "break", "const", "continue", "else", "false", "for", "function", "if", "import"),
        *("in", "let", "loop", "namespace", "null", "package", "return", "true", "void", "while"),
    )
)
_SIGNS = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STRINGS = {
    "date-time": celtypes.TimestampType,
    "duration": celtypes.DurationType,
}


def escaped(name: str) -> str:
    """The name of a property in an expression."""
    if name in _KEYWORDS:
        return f"__{name}__"
    for sign, word in _SIGNS:
        name = name.replace(sign, word)
    return name


def value_of(schema: Json, value: Any) -> Any:
    """A value that the schema has accepted."""
    if isinstance(value, dict):
        return _object(schema, value)
    if isinstance(value, list):
        element = schema.get("items") or {}
        return celtypes.ListType([value_of(element, item) for item in value])
    if isinstance(value, str):
        made = _STRINGS.get(schema.get("format", ""), celtypes.StringType)
        return made(value)
    if schema.get("type") == "number" and not isinstance(value, bool):
        return celtypes.DoubleType(value)
    return json_to_cel(value)


def _object(schema: Json, value: Json) -> celtypes.MapType:
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    found = {}
    for name, item in value.items():
        if name in properties:
            part, key = properties[name], escaped(name)
            if not _IDENTIFIER.fullmatch(key):
                continue
        else:
            part, key = more if isinstance(more, dict) else {}, name
        found[celtypes.StringType(key)] = value_of(part, item)
    return celtypes.MapType(found)

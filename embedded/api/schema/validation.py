"""Validation of a value against a structural schema, in the words of a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from embedded.api.errors import Cause
from embedded.api.fieldset import item_step
from embedded.api.jsons import Json
from embedded.api.schema.formats import fits
from embedded.api.schema.shapes import shape_of

_DOLLAR = re.compile(r"(?P<kept>\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\$", re.DOTALL)
"""A `$` that is an assertion: not one that is escaped or in a class."""

_TYPES: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "object": lambda value: isinstance(value, dict),
        "array": lambda value: isinstance(value, list),
        "string": lambda value: isinstance(value, str),
        "boolean": lambda value: isinstance(value, bool),
        "integer": lambda value: _number(value) and float(value).is_integer(),
        "number": lambda value: _number(value),
    }
)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def causes(schema: Json, value: Any, path: str = "") -> Iterator[Cause]:
    """Everything that is wrong with a value."""
    if value is None:
        if not schema.get("nullable") and not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield _typed(path, "null", schema.get("type", "object"))
        return
    if wrong := _wrong_type(schema, value, path):
        yield wrong
        return
    if "enum" in schema and value not in schema["enum"]:
        listed = ", ".join(json.dumps(item) for item in schema["enum"])
        text = f"Unsupported value: {json.dumps(value)}: supported values: {listed}"
        yield Cause(field=path, reason="FieldValueNotSupported", message=text)
    if isinstance(value, dict):
        yield from _object(schema, value, path)
    elif isinstance(value, list):
        yield from _list(schema, value, path)
    elif isinstance(value, str):
        yield from _string(schema, value, path)
    elif _number(value):
        yield from _numeric(schema, value, path)
    yield from _combined(schema, value, path)


def _wrong_type(schema: Json, value: Any, path: str) -> Cause | None:
    if schema.get("x-kubernetes-int-or-string"):
        fine = isinstance(value, str) or _TYPES["integer"](value)
        return None if fine else _typed(path, _name(value), "integer,string")
    wanted = schema.get("type")
    if not wanted or _TYPES[wanted](value):
        return None
    return _typed(path, _name(value), wanted)


def _name(value: Any) -> str:
    return next((name for name, accepts in _TYPES.items() if accepts(value)), "null")


def _typed(path: str, got: str, wanted: str) -> Cause:
    text = f'Invalid value: "{got}": {path} in body must be of type {wanted}: "{got}"'
    return Cause(field=path or "<nil>", reason="FieldValueTypeInvalid", message=text)


def _bad(path: str, value: Any, why: str) -> Cause:
    text = f"Invalid value: {json.dumps(value)}: {path} in body {why}"
    return Cause(field=path, reason="FieldValueInvalid", message=text)


def _object(schema: Json, value: Json, path: str) -> Iterator[Cause]:
    for name in schema.get("required") or []:
        if name not in value:
            where = f"{path}.{name}" if path else name
            yield Cause(field=where, reason="FieldValueRequired", message="Required value")
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    for name, item in value.items():
        part = properties.get(name) or (more if isinstance(more, dict) else None)
        if part is not None:
            yield from causes(part, item, f"{path}.{name}" if path else name)
    yield from _counted(schema, value, path, "Properties", "properties")


def _list(schema: Json, value: list[Any], path: str) -> Iterator[Cause]:
    element = schema.get("items") or {}
    for position, item in enumerate(value):
        yield from causes(element, item, f"{path}[{position}]")
    yield from _counted(schema, value, path, "Items", "items")
    if schema.get("uniqueItems") or schema.get("x-kubernetes-list-type") in {"set", "map"}:
        yield from _duplicates(schema, value, path)


def _duplicates(schema: Json, value: list[Any], path: str) -> Iterator[Cause]:
    shape = shape_of(schema)
    seen = set()
    for position, item in enumerate(value):
        step = item_step(shape, item)
        if step in seen:
            text = f"Duplicate value: {step[2:]}"
            where = f"{path}[{position}]"
            yield Cause(field=where, reason="FieldValueDuplicate", message=text)
        seen.add(step)


def _counted(schema: Json, value: Any, path: str, suffix: str, noun: str) -> Iterator[Cause]:
    least, most = schema.get(f"min{suffix}"), schema.get(f"max{suffix}")
    if least is not None and len(value) < least:
        yield _bad(path, len(value), f"should have at least {least} {noun}")
    if most is not None and len(value) > most:
        text = f"Too many: {len(value)}: must have at most {most} {noun}"
        yield Cause(field=path, reason="FieldValueTooMany", message=text)


def _string(schema: Json, value: str, path: str) -> Iterator[Cause]:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if least is not None and len(value) < least:
        yield _bad(path, value, f"should be at least {least} chars long")
    if most is not None and len(value) > most:
        text = f"Too long: may not be more than {most} bytes"
        yield Cause(field=path, reason="FieldValueTooLong", message=text)
    pattern = schema.get("pattern")
    if pattern and not _compiled(pattern).search(value):
        yield _bad(path, value, f"should match '{pattern}'")
    form = schema.get("format")
    if form and not fits(form, value):
        yield _bad(path, value, f"must be of type {form}: {json.dumps(value)}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """As Go reads it, whose `$` is the end of the text and not also before a last newline."""
    return re.compile(_DOLLAR.sub(lambda found: found["kept"] or r"\Z", pattern))


def _numeric(schema: Json, value: float, path: str) -> Iterator[Cause]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and (value < least or (value == least and schema.get("exclusiveMinimum"))):
        also = "" if schema.get("exclusiveMinimum") else " or equal to"
        yield _bad(path, value, f"should be greater than{also} {least}")
    if most is not None and (value > most or (value == most and schema.get("exclusiveMaximum"))):
        also = "" if schema.get("exclusiveMaximum") else " or equal to"
        yield _bad(path, value, f"should be less than{also} {most}")
    step = schema.get("multipleOf")
    if step and (value / step) % 1:
        yield _bad(path, value, f"should be a multiple of {step}")
    form = schema.get("format")
    bound = {"int32": 2**31, "int64": 2**63}.get(form or "")
    if bound and not -bound <= value < bound:
        yield _bad(path, value, f"must be of type {form}: {json.dumps(value)}")


def _combined(schema: Json, value: Any, path: str) -> Iterator[Cause]:
    for part in schema.get("allOf") or []:
        yield from causes(part, value, path)
    fitting = [not any(causes(part, value, path)) for part in schema.get("anyOf") or []]
    if fitting and not any(fitting):
        yield _bad(path, value, "must validate at least one schema (anyOf)")
    chosen = [not any(causes(part, value, path)) for part in schema.get("oneOf") or []]
    if chosen and sum(chosen) != 1:
        yield _bad(path, value, "must validate one and only one schema (oneOf)")
    if "not" in schema and not any(causes(schema["not"], value, path)):
        yield _bad(path, value, "must not validate the schema (not)")

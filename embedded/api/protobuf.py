r"""Reading the protobuf bodies that Go clients and kubectl send for built-in kinds.

Wire format: Protocol Buffers documentation, "Encoding". Envelope: four bytes `k8s\0`, then a
`runtime.Unknown` (apimachinery, pkg/runtime/generated.proto). Answers stay JSON.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

from embedded.api.errors import bad_request, unsupported_media
from embedded.api.jsons import Json
from embedded.api.types import builtin
from embedded.api.types.shape import ANY, Shape
from embedded.timestamps import timestamp

MAGIC = b"k8s\x00"
_FIXED = MappingProxyType({1: 8, 5: 4})
"""Bytes of a value, by its wire type."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PACKAGES = MappingProxyType(
    {
        "": "core",
        "apps": "apps",
        "autoscaling": "autoscaling",
        "batch": "batch",
        "policy": "policy",
        "authentication.k8s.io": "authentication",
        "authorization.k8s.io": "authorization",
        "coordination.k8s.io": "coordination",
        "discovery.k8s.io": "discovery",
        "events.k8s.io": "events",
        "networking.k8s.io": "networking",
        "rbac.authorization.k8s.io": "rbac",
        "scheduling.k8s.io": "scheduling",
        "storage.k8s.io": "storage",
    }
)

Value = int | bytes
Member = tuple[str, Shape]
"""Name (empty for a message whose members stand in the message itself) and shape."""


def decode(body: bytes) -> Json:
    """The object in a body; raises ApiError 400; 415 for a kind that has no table."""
    try:
        return _decode(body)
    except (IndexError, ValueError, OverflowError, struct.error) as error:
        raise bad_request(f"the body is not protobuf: {error}") from error


def _decode(body: bytes) -> Json:
    if not body.startswith(MAGIC):
        raise bad_request("the body is not protobuf: it does not begin with k8s\\0")
    envelope = dict(_fields(memoryview(body)[len(MAGIC) :]))
    types = dict(_fields(memoryview(_raw(envelope.get(1, b"")))))
    api_version, kind = _text(types.get(1, b"")), _text(types.get(2, b""))
    found = _read_message(_shape(api_version, kind), memoryview(_raw(envelope.get(2, b""))))
    return {"apiVersion": api_version, "kind": kind, **found}


def _shape(api_version: str, kind: str) -> Shape:
    group = api_version.rpartition("/")[0]
    name = "meta.DeleteOptions" if kind == "DeleteOptions" else f"{_PACKAGES.get(group)}.{kind}"
    try:
        return builtin.message(name)
    except KeyError as error:
        got = f"protobuf of {api_version} {kind}"
        raise unsupported_media(got, ("application/json", "application/yaml")) from error


def _fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """Number and value of every field; those of 4 and 8 bytes as bytes."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire == 2:
            length, position = _varint(data, position)
        elif wire in _FIXED:
            length = _FIXED[wire]
        else:
            raise ValueError(f"field {number} is of the unknown wire type {wire}")
        if position + length > len(data):
            raise IndexError("a field is longer than its message")
        yield number, bytes(data[position : position + length])
        position += length


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def _raw(value: Value) -> bytes:
    if isinstance(value, int):
        raise IndexError("a number stands where bytes are due")
    return value


def _text(value: Value) -> str:
    return _raw(value).decode()


def _integer(value: Value) -> int:
    if isinstance(value, bytes):
        raise IndexError("bytes stand where a number is due")
    return value - (1 << 64) if value >= 1 << 63 else value


@cache
def _members(message: str) -> Mapping[int, Member]:
    shape = builtin.message(message)
    found = {
        child.number: (name, child) for name, child in shape.fields.items() if child.number > 0
    }
    for number, inner in builtin.inlined(message):
        found[number] = ("", builtin.message(inner))
    return found


def _read_message(shape: Shape, data: memoryview) -> Json:
    members, result = _members(shape.message), Json()
    for number, raw in _fields(data):
        name, child = members.get(number, ("", ANY))
        if child is ANY:
            continue
        if not name:
            result.update(_read_message(child, memoryview(_raw(raw))))
        elif child.kind == "list":
            result.setdefault(name, []).append(_read(child.element or ANY, raw))
        elif child.kind == "map":
            key, value = _entry(child.element or ANY, memoryview(_raw(raw)))
            result.setdefault(name, {})[key] = value
        else:
            value = _read(child, raw)
            if value is not None and not (child.omit_zero and not value):
                result[name] = value
    return result


def _entry(element: Shape, data: memoryview) -> tuple[str, Any]:
    entry = dict(_fields(data))
    return _text(entry.get(1, b"")), _read(element, entry.get(2, b""))


def _read(shape: Shape, raw: Value) -> Any:
    if shape.kind == "struct":
        return _read_message(shape, memoryview(_raw(raw)))
    return _READERS.get(shape.wire, _text)(raw)


def _int_or_string(raw: Value) -> int | str:
    inner = dict(_fields(memoryview(_raw(raw))))
    return _text(inner.get(3, b"")) if inner.get(1) else _integer(inner.get(2, 0))


def _moment(raw: Value) -> datetime | None:
    inner = dict(_fields(memoryview(_raw(raw))))
    if not inner:
        return None
    seconds, nanos = _integer(inner.get(1, 0)), _integer(inner.get(2, 0))
    return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)


def _time(raw: Value) -> str | None:
    found = _moment(raw)
    return timestamp(found) if found else None


def _micro_time(raw: Value) -> str | None:
    found = _moment(raw)
    return found.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if found else None


def _wrapped_json(raw: Value) -> Any:
    inner = dict(_fields(memoryview(_raw(raw))))
    return json.loads(_raw(inner[1])) if inner.get(1) else None


_READERS: Mapping[str, Callable[[Value], Any]] = MappingProxyType(
    {
        "bool": bool,
        "int32": _integer,
        "int64": _integer,
        "double": lambda raw: struct.unpack("<d", _raw(raw))[0],
        "bytes": lambda raw: base64.b64encode(_raw(raw)).decode(),
        "quantity": lambda raw: _text(dict(_fields(memoryview(_raw(raw)))).get(1, b"")),
        "intstr": _int_or_string,
        "time": _time,
        "microtime": _micro_time,
        "raw": _wrapped_json,
        "fieldsv1": _wrapped_json,
    }
)

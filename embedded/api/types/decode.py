"""Reading an object as its built-in kind: types are checked, nulls vanish, unknown names are told.

This is what the decoder of a real server does before anything else sees the object.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from embedded.api.errors import ApiError, bad_request
from embedded.api.jsons import copied
from embedded.api.types import quantities
from embedded.api.types.shape import ANY, Shape

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_Reader = Callable[[Any, str], Any]


def read(shape: Shape, value: Any, unknown: list[str], path: str = "") -> Any:
    """A fresh value of the shape; names that it does not have are left out and listed.

    Raises ApiError 400 where a value is of another type.
    """
    if shape.kind == "any":
        # Owners are never changed in place, and there are many.
        return value if shape.wire == "fieldsv1" else copied(value)
    if shape.kind == "scalar":
        reader: _Reader = _SCALARS.get(shape.wire, _string)
        return reader(value, path)
    if shape.kind == "list":
        return _list(shape, value, unknown, path)
    return _object(shape, value, unknown, path)


def _list(shape: Shape, value: Any, unknown: list[str], path: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(path, value, "list")
    element = shape.element or ANY
    return [read(element, item, unknown, f"{path}[{at}]") for at, item in enumerate(value)]


def _object(shape: Shape, value: Any, unknown: list[str], path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(path, value, "object")
    result = {}
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        child = shape.fields.get(name) or shape.element
        if child is None:
            unknown.append(where)
        elif item is not None:
            result[name] = read(child, item, unknown, where)
    return result


def _wrong(path: str, value: Any, wanted: str) -> ApiError:
    names = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}
    got = names.get(type(value), "object")
    return bad_request(f"json: cannot unmarshal {got} into field {path} of type {wanted}")


def _sized(bits: int) -> _Reader:
    def read_sized(value: Any, path: str) -> int:
        number = _integer(value, path)
        if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
            raise bad_request(
                f"json: cannot unmarshal number {value} into field {path} of type int{bits}"
            )
        return number

    return read_sized


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _wrong(path, value, "string")
    return value


def _integer(value: Any, path: str) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(path, value, "integer")
    return value


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(path, value, "number")
    return value


def _bool(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(path, value, "bool")
    return value


def _bytes(value: Any, path: str) -> str:
    text = _string(value, path)
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"illegal base64 data in field {path}") from error
    return text


def _quantity(value: Any, path: str) -> str:
    text = str(value) if _is_number(value) else _string(value, path)
    try:
        return quantities.canonical(text)
    except ValueError as error:
        raise bad_request(f"quantities must match the regular expression: {path}") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moment(value: Any, path: str) -> str:
    text = _string(value, path)
    if _MOMENT.fullmatch(text):
        with contextlib.suppress(ValueError):
            datetime.fromisoformat(text)
            return text
    raise bad_request(
        f"parsing time {json.dumps(text)} in field {path}: it is not as RFC 3339 says"
    )


def _int_or_string(value: Any, path: str) -> int | str:
    return value if isinstance(value, str) else _integer(value, path)


_SCALARS: Mapping[str, _Reader] = MappingProxyType(
    {
        "int32": _sized(32),
        "int64": _sized(64),
        "time": _moment,
        "microtime": _moment,
        "double": _number,
        "bool": _bool,
        "bytes": _bytes,
        "quantity": _quantity,
        "intstr": _int_or_string,
    }
)

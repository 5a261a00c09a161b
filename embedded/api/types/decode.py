"""Reading an object as its built-in kind: types are checked, nulls vanish, unknown names are told.

This is what the decoder of a real server does before anything else sees the object.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from embedded.api.errors import ApiError, bad_request
from embedded.api.jsons import copied
from embedded.api.types.shape import ANY, Shape


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
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _string(value, path)


def _int_or_string(value: Any, path: str) -> int | str:
    return value if isinstance(value, str) else _integer(value, path)


_Reader = Callable[[Any, str], Any]
_SCALARS: Mapping[str, _Reader] = MappingProxyType(
    {
        "int32": _integer,
        "int64": _integer,
        "double": _number,
        "bool": _bool,
        "bytes": _bytes,
        "quantity": _quantity,
        "intstr": _int_or_string,
    }
)

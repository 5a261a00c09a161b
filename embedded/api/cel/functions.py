"""The functions that Kubernetes adds to CEL: for lists, strings, regular expressions, URLs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from celpy.celtypes import BoolType, IntType, ListType, StringType


def _is_sorted(items: Iterable[Any]) -> BoolType:
    return BoolType(all(one <= other for one, other in pairwise(items)))


def _sum(items: list[Any]) -> Any:
    return sum(items[1:], start=items[0]) if items else IntType(0)


def _index_of(where: Any, what: Any, start: int = 0) -> IntType:
    if isinstance(where, str):
        return IntType(where.find(what, start))
    return IntType(next((number for number, item in enumerate(where) if item == what), -1))


def _last_index_of(where: Any, what: Any) -> IntType:
    if isinstance(where, str):
        return IntType(where.rfind(what))
    numbers = [number for number, item in enumerate(where) if item == what]
    return IntType(numbers[-1] if numbers else -1)


def _ascii(change: Callable[[str], str]) -> Callable[[str], StringType]:
    return lambda text: StringType("".join(change(s) if s.isascii() else s for s in text))


def _replace(text: str, old: str, new: str, most: int = -1) -> StringType:
    return StringType(text.replace(old, new, most))


def _texts(items: Iterable[str]) -> ListType:
    return ListType([StringType(item) for item in items])


def _split(text: str, separator: str, most: int = -1) -> ListType:
    if most == 0:
        return ListType([])
    if not separator:
        return _texts(text)
    return _texts(text.split(separator, most - 1 if most > 0 else -1))


def _substring(text: str, start: int, end: int | None = None) -> StringType:
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"index out of range: {start}")
    return StringType(text[start:end])


def _char_at(text: str, position: int) -> StringType:
    if not 0 <= position <= len(text):
        raise ValueError(f"index out of range: {position}")
    return StringType(text[position : position + 1])


def _join(items: Iterable[str], separator: str = "") -> StringType:
    return StringType(separator.join(items))


def _find(text: str, pattern: str) -> StringType:
    found = re.search(pattern, text)
    return StringType(found[0] if found else "")


def _find_all(text: str, pattern: str, most: int = -1) -> ListType:
    found = [match[0] for match in re.finditer(pattern, text)]
    return _texts(found if most < 0 else found[:most])


def _is_url(text: str) -> BoolType:
    try:
        parts = urlsplit(text)
    except ValueError:
        return BoolType(False)
    return BoolType(bool(parts.scheme) or text.startswith("/"))


def _is_ip(text: str) -> BoolType:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return BoolType(False)
    return BoolType(True)


def _is_cidr(text: str) -> BoolType:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return BoolType(False)
    return BoolType("/" in text)


FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "charAt": _char_at,
        "find": _find,
        "findAll": _find_all,
        "indexOf": _index_of,
        "isCIDR": _is_cidr,
        "isIP": _is_ip,
        "isSorted": _is_sorted,
        "isURL": _is_url,
        "join": _join,
        "lastIndexOf": _last_index_of,
        "lowerAscii": _ascii(str.lower),
        "max": max,
        "min": min,
        "replace": _replace,
        "split": _split,
        "substring": _substring,
        "sum": _sum,
        "trim": lambda text: StringType(text.strip()),
        "upperAscii": _ascii(str.upper),
    }
)

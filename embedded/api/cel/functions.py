"""The functions that Kubernetes adds to CEL, by the names that expressions know them by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import re2
from celpy.celtypes import BoolType, IntType, ListType, StringType
from celpy.evaluation import base_functions

from embedded.api.cel import networks, optionals, quantities, strings


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
    found = re2.search(pattern, text)
    return StringType(found[0] if found else "")


def _find_all(text: str, pattern: str, most: int = -1) -> ListType:
    found = [match[0] for match in re2.finditer(pattern, text)]
    return _texts(found if most < 0 else found[:most])


def _contains(where: Any, *what: Any) -> Any:
    if where is SETS:
        outer, inner = what
        return BoolType(all(item in outer for item in inner))
    return base_functions["contains"](where, *what)


def _equivalent(_: Any, one: list[Any], other: list[Any]) -> BoolType:
    return BoolType(_contains(SETS, one, other) and _contains(SETS, other, one))


def _intersects(_: Any, one: list[Any], other: list[Any]) -> BoolType:
    return BoolType(any(item in other for item in one))


def _string(value: Any) -> Any:
    return StringType(str(value) if isinstance(value, networks.IP | networks.CIDR) else value)


def _ip(value: Any) -> Any:
    if isinstance(value, networks.CIDR):
        return networks.IP(value.address)
    return networks.ip(value)


@dataclass(frozen=True)
class Library:
    """What stands before the dot in `sets.contains(…)`."""

    name: str


SETS = Library("sets")
LIBRARIES: Mapping[str, Library] = MappingProxyType(
    {
        "sets": SETS,
        **{name: Library(name) for name in ("format", "ip", "optional", "strings")},
    }
)
"""By the names by which expressions know them."""

_QUANTITIES: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "add": quantities.add,
        "asApproximateFloat": quantities.as_float,
        "asInteger": quantities.as_integer,
        "compareTo": quantities.compare,
        "isGreaterThan": quantities.greater,
        "isInteger": quantities.is_integer,
        "isLessThan": quantities.less,
        "isQuantity": quantities.is_quantity,
        "quantity": quantities.quantity,
        "sign": quantities.sign,
        "sub": quantities.sub,
    }
)
_NETWORKS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "cidr": networks.cidr,
        "containsCIDR": networks.contains_cidr,
        "containsIP": networks.contains_ip,
        "family": networks.family,
        "getEscapedPath": networks.path,
        "getHost": networks.host,
        "getHostname": networks.host_name,
        "getPort": networks.port,
        "getQuery": networks.query,
        "getScheme": networks.scheme,
        "ip": _ip,
        "isCIDR": networks.is_cidr,
        "isCanonical": lambda _, text: networks.is_canonical(text),
        "isGlobalUnicast": networks.is_global_unicast,
        "isIP": networks.is_ip,
        "isLinkLocalMulticast": networks.is_link_local_multicast,
        "isLinkLocalUnicast": networks.is_link_local_unicast,
        "isLoopback": networks.is_loopback,
        "isURL": networks.is_url,
        "isUnspecified": networks.is_unspecified,
        "masked": networks.masked,
        "prefixLength": networks.prefix_length,
        "url": networks.url,
    }
)
_OPTIONALS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        **optionals.MAKERS,
        "hasValue": optionals.has_value,
        "named": optionals.named,
        "none": optionals.none,
        "of": optionals.of,
        "ofNonZeroValue": optionals.of_non_zero,
        "or": optionals.either,
        "orValue": optionals.or_value,
        "validate": optionals.validate,
        "value": optionals.value,
    }
)
FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "charAt": _char_at,
        "find": _find,
        "findAll": _find_all,
        "indexOf": _index_of,
        **_QUANTITIES,
        **_NETWORKS,
        **_OPTIONALS,
        "contains": _contains,
        "equivalent": _equivalent,
        "format": strings.formatted,
        "intersects": _intersects,
        "quote": strings.quoted,
        "string": _string,
        "isSorted": _is_sorted,
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

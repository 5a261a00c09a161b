"""Values that may be missing, and the formats of strings, which answer with them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from celpy.celtypes import BoolType, ListType, StringType

from embedded.api.cel.networks import is_url
from embedded.api.schema import formats

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"


@dataclass(frozen=True)
class Maybe:
    """An optional value; `values` has it, or is empty."""

    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Format:
    """What a string must be like."""

    name: str
    fits: Callable[[str], bool]


def of(_: Any, value: Any) -> Maybe:
    """A value that is there."""
    return Maybe((value,))


def of_non_zero(_: Any, value: Any) -> Maybe:
    """The value, unless it is zero or empty."""
    return Maybe((value,) if value else ())


def none(_: Any) -> Maybe:
    """No value."""
    return Maybe()


def has_value(one: Maybe) -> BoolType:
    """Return whether it is there."""
    return BoolType(bool(one.values))


def value(one: Maybe) -> Any:
    """The value; raises ValueError where there is none."""
    if not one.values:
        raise ValueError("optional.none() dereference")
    return one.values[0]


def or_value(one: Maybe, other: Any) -> Any:
    """The value, or another one."""
    return one.values[0] if one.values else other


def either(one: Maybe, other: Maybe) -> Maybe:
    """The first of the two that is there."""
    return one if one.values else other


def _matching(pattern: str, longest: int) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: len(text) <= longest and compiled.fullmatch(text) is not None


def _prefix(fits: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: fits(f"{text[:-1]}a" if text.endswith("-") else text)


_LABEL_FITS = _matching(_LABEL, 63)
_SUBDOMAIN_FITS = _matching(rf"{_LABEL}(\.{_LABEL})*", 253)
_SERVICE_FITS = _matching(r"[a-z]([-a-z0-9]*[a-z0-9])?", 63)
_PART_FITS = _matching(_NAME, 63)


def _is_qualified(text: str) -> bool:
    prefix, slash, name = text.rpartition("/")
    return _PART_FITS(name) and (not slash or _SUBDOMAIN_FITS(prefix))


def _is_uuid(text: str) -> bool:
    try:
        return len(text) in (32, 36) and bool(uuid.UUID(text))
    except ValueError:
        return False


_FORMATS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "byte": lambda text: formats.fits("byte", text),
        "date": lambda text: formats.fits("date", text),
        "datetime": lambda text: formats.fits("date-time", text),
        "dns1035Label": _SERVICE_FITS,
        "dns1035LabelPrefix": _prefix(_SERVICE_FITS),
        "dns1123Label": _LABEL_FITS,
        "dns1123LabelPrefix": _prefix(_LABEL_FITS),
        "dns1123Subdomain": _SUBDOMAIN_FITS,
        "dns1123SubdomainPrefix": _prefix(_SUBDOMAIN_FITS),
        "labelValue": lambda text: not text or _PART_FITS(text),
        "qualifiedName": _is_qualified,
        "uri": lambda text: bool(is_url(text)),
        "uuid": _is_uuid,
    }
)


def _maker(name: str) -> Callable[[Any], Format]:
    return lambda _: Format(name, _FORMATS[name])


MAKERS: Mapping[str, Callable[[Any], Format]] = MappingProxyType(
    {name: _maker(name) for name in _FORMATS}
)
"""`format.dns1123Label()` and its like, by their names."""


def named(_: Any, name: str) -> Maybe:
    """The format of a name, if there is one."""
    fits = _FORMATS.get(str(name))
    return Maybe((Format(str(name), fits),) if fits else ())


def validate(form: Format, text: str) -> Maybe:
    """What is wrong with a string, as a list; nothing where it has the format."""
    if form.fits(str(text)):
        return Maybe()
    return Maybe((ListType([StringType(f"must be of the format {form.name}")]),))

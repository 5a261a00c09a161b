"""JSON and YAML texts as values that can be written out again: the way in for all that is stored.

As with a real server, what is no character of Unicode becomes U+FFFD: bytes that are not UTF-8, and
halves of surrogate pairs.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import yaml

from embedded.api import errors

_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")
_MOST_VALUES = 500_000
"""Values in a YAML document, aliases written out."""


def from_json(body: bytes, repeated: list[str] | None = None) -> Any:
    """JSON; paths of members that stand there twice are listed. Raises ApiError 400."""
    text = body.decode("utf-8", "replace")
    try:
        value = _PLAIN.decode(text) if repeated is None else _checked(text, repeated)
    except RecursionError as error:
        raise errors.bad_request("the body is nested too deeply") from error
    except ValueError as error:
        raise errors.bad_request(f"the body is not JSON: {error}") from error
    return _whole(value) if _ESCAPED_HALF.search(text) else value


def from_yaml(body: bytes) -> Any:
    """YAML, of which JSON is a part; raises ApiError 400."""
    if body[:1] == b"{":
        try:
            return from_json(body)
        except errors.ApiError:
            # A mapping in YAML's flow style begins like that, too.
            pass
    try:
        value = yaml.load(body.decode("utf-8", "replace"), Loader=_Loader)  # noqa: S506 a safe one
        return _Written().plain(value)
    except RecursionError as error:
        raise errors.bad_request("the body is nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:
        raise errors.bad_request(f"the body is not YAML: {error}") from error


def readable(text: str) -> str:
    """The text with U+FFFD in place of what is no character."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refused(text)


def _members(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedError
    return found


class _RepeatedError(Exception):
    """An object has a member twice."""


class _Pairs(list[tuple[str, Any]]):
    """The members of an object, also those that stand there twice."""


_PLAIN = json.JSONDecoder(parse_float=_finite, parse_constant=_refused)
_CHECKED = json.JSONDecoder(
    parse_float=_finite, parse_constant=_refused, object_pairs_hook=_members
)
_PAIRED = json.JSONDecoder(parse_float=_finite, parse_constant=_refused, object_pairs_hook=_Pairs)


def _checked(text: str, repeated: list[str]) -> Any:
    try:
        return _CHECKED.decode(text)
    except _RepeatedError:
        # Where, only a second reading tells: the first is quick.
        _list_repeated(_PAIRED.decode(text), "", repeated)
        return _PLAIN.decode(text)


def _list_repeated(value: Any, path: str, repeated: list[str]) -> None:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, member in value:
            where = f"{path}.{name}" if path else name
            if name in seen:
                repeated.append(where)
            seen.add(name)
            _list_repeated(member, where, repeated)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _list_repeated(item, f"{path}[{position}]", repeated)


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, dict):
        return {readable(name): _whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value


class _Written:
    """A YAML document on its way to JSON; raises ValueError for what JSON has no word for."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def plain(self, value: Any) -> Any:
        """The value with the keys and scalars of JSON."""
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many values, its aliases written out")
        if isinstance(value, str):
            return readable(value)
        if isinstance(value, dict):
            return {_key(name): self.plain(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            return _refused(str(value))
        if isinstance(value, int) and abs(value) >= 1 << 64:
            return float(value) if value.bit_length() < _LARGEST_BITS else _refused("a huge number")
        if value is None or isinstance(value, bool | int | float):
            return value
        raise ValueError(f"JSON has no {type(value).__name__}")


_LARGEST_BITS = 1024
"""Bits of a number that a double can hold."""


def _key(name: Any) -> str:
    if isinstance(name, str):
        return readable(name)
    if isinstance(name, bool):
        return "true" if name else "false"
    if isinstance(name, int | float) and abs(name) < 1 << 64:
        return str(name)
    raise ValueError(f"a key is a string, not {type(name).__name__}")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe, without timestamps, which JSON has not, and with the truth values of YAML 1.1."""

    bool_values = {**yaml.SafeLoader.bool_values, "y": True, "n": False}  # noqa: RUF012


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    found = {
        first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for letter in "yYnN":
        found[letter] = [("tag:yaml.org,2002:bool", re.compile(f"^{letter}$")), *found[letter]]
    return found


_Loader.yaml_implicit_resolvers = _resolvers()

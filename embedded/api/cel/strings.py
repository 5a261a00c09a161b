"""`format` and `quote` of strings in rules."""

from __future__ import annotations

import re
from typing import Any

from celpy.celtypes import BoolType, BytesType, ListType, MapType, StringType

_VERB = re.compile(r"%(?:\.(?P<digits>\d+))?(?P<verb>[a-zA-Z%])")
_NUMBERS = {"b": "b", "d": "d", "o": "o", "x": "x", "X": "X"}
_FLOATS = {"e": "e", "f": "f"}
_DIGITS = 6
_QUOTED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def formatted(text: str, values: list[Any]) -> StringType:
    """The text with its verbs, such as `%d`, replaced; raises ValueError."""
    left = iter(values)

    def replaced(match: re.Match[str]) -> str:
        verb = match["verb"]
        if verb == "%":
            return "%"
        try:
            value = next(left)
        except StopIteration:
            raise ValueError("index out of range in the arguments of format") from None
        return _shown(value, verb, int(match["digits"] or _DIGITS))

    return StringType(_VERB.sub(replaced, text))


def _shown(value: Any, verb: str, digits: int) -> str:
    if verb == "s":
        return _plain(value)
    if verb in _FLOATS and not isinstance(value, str):
        return f"{float(value):.{digits}{_FLOATS[verb]}}"
    if verb in {"x", "X"} and isinstance(value, str | bytes):
        raw = value.encode() if isinstance(value, str) else bytes(value)
        return raw.hex() if verb == "x" else raw.hex().upper()
    if verb in _NUMBERS and isinstance(value, int):
        return format(int(value), _NUMBERS[verb])
    raise ValueError(f"%{verb} does not fit a {type(value).__name__}")


def _plain(value: Any) -> str:
    if isinstance(value, BoolType | bool):
        return "true" if value else "false"
    if isinstance(value, BytesType):
        return bytes(value).decode(errors="replace")
    if isinstance(value, ListType):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, MapType):
        pairs = sorted((_plain(name), _plain(item)) for name, item in value.items())
        return f"{{{', '.join(f'{name}: {item}' for name, item in pairs)}}}"
    return "null" if value is None else str(value)


def quoted(_: Any, text: str) -> StringType:
    """The text in quotes, with what is special escaped."""
    return StringType(f'"{"".join(_QUOTED.get(sign, sign) for sign in text)}"')

"""Quantities in their one canonical spelling: `1000m` is `1`, `1024Mi` is `1Gi`, `0.5` is `500m`.

Grammar and rules: k8s.io/apimachinery/pkg/api/resource, type Quantity.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

_FORM = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))"
    r"(?:(?P<binary>[KMGTPE]i)|(?P<decimal>[numkMGTPE])|[eE](?P<power>[+-]?\d{1,3}))?"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_NANO = 10**9
_LONGEST = 256
_SMALLEST_BINARY = 1024


def _read(text: str) -> tuple[Fraction, re.Match[str]]:
    match = _FORM.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError(f"{text!r} is not a quantity such as 500m or 2Gi")
    number, binary = Fraction(match["number"]), match["binary"]
    if binary:
        return number * 1024 ** (_BINARY.index(binary) + 1), match
    power = int(match["power"] or _DECIMAL[match["decimal"] or ""])
    return number * Fraction(10) ** power, match


def value(text: str) -> Fraction:
    """The number that a quantity stands for; raises ValueError for what is none."""
    return _read(text)[0]


@lru_cache(4096)
def canonical(text: str) -> str:
    """The canonical spelling; raises ValueError for what is no quantity."""
    number, match = _read(text)
    binary = match["binary"]
    nanos = math.floor(number * _NANO) if number < 0 else math.ceil(number * _NANO)
    if not nanos:
        return "0"
    if match["power"] is not None:
        return _scaled(nanos, lambda power: f"e{power}" if power else "")
    # Below 1024 the decimal spelling is the canonical one of a binary quantity, too.
    if binary and abs(nanos) >= _SMALLEST_BINARY * _NANO and nanos % _NANO == 0:
        return _binary(nanos // _NANO)
    names = {power: name for name, power in _DECIMAL.items()}
    return _scaled(nanos, names.__getitem__)


def _binary(number: int) -> str:
    step = 0
    while step < len(_BINARY) and number % 1024 == 0:
        number, step = number // 1024, step + 1
    return f"{number}{_BINARY[step - 1] if step else ''}"


def _scaled(nanos: int, suffix: Callable[[int], str]) -> str:
    power = -9
    while nanos % 1000 == 0 and power < max(_DECIMAL.values()):
        nanos, power = nanos // 1000, power + 3
    return f"{nanos}{suffix(power)}"

"""Resource quantities ("500m", "2Gi", "1e3") as exact numbers.

Grammar: k8s.io/apimachinery/pkg/api/resource, type Quantity.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

_FORM = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<power>[+-]?\d+))?"
)
_FACTORS = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    **{s: Fraction(1000 ** (i + 1)) for i, s in enumerate("kMGTPE")},
    **{f"{s}i": Fraction(1024 ** (i + 1)) for i, s in enumerate("KMGTPE")},
}


def parse_quantity(text: str) -> Fraction:
    """Return the value of `text`; ValueError when it is no quantity."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a quantity such as 500m or 2Gi")
    number = Fraction(match["number"])
    if match["power"]:
        return number * Fraction(10) ** int(match["power"])
    return number * _FACTORS.get(match["suffix"] or "", Fraction(1))


def divided(amount: str, divisor: str) -> str:
    """Return `amount` in units of `divisor`, rounded up, as resourceFieldRef gives it."""
    unit = parse_quantity(divisor) or Fraction(1)
    return str(math.ceil(parse_quantity(amount) / unit))

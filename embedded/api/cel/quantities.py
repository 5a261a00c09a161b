"""Quantities in rules: `quantity('1Gi').isGreaterThan(quantity('500Mi'))`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from celpy.celtypes import BoolType, DoubleType, IntType

from embedded.api.types.quantities import value

_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Quantity:
    """An amount such as `500m` or `2Gi`, compared by its value."""

    amount: Fraction


def quantity(text: str) -> Quantity:
    """Read a quantity; raises ValueError."""
    return Quantity(value(str(text)))


def is_quantity(text: str) -> BoolType:
    """Return whether a text is a quantity."""
    try:
        quantity(text)
    except ValueError:
        return BoolType(False)
    return BoolType(True)


def _of(other: Quantity | IntType) -> Fraction:
    return other.amount if isinstance(other, Quantity) else Fraction(int(other))


def add(one: Quantity, other: Quantity | IntType) -> Quantity:
    """The sum of two quantities, or of one and a number."""
    return Quantity(one.amount + _of(other))


def sub(one: Quantity, other: Quantity | IntType) -> Quantity:
    """The difference."""
    return Quantity(one.amount - _of(other))


def less(one: Quantity, other: Quantity) -> BoolType:
    """Return whether the first is the smaller one."""
    return BoolType(one.amount < other.amount)


def greater(one: Quantity, other: Quantity) -> BoolType:
    """Return whether the first is the larger one."""
    return BoolType(one.amount > other.amount)


def compare(one: Quantity, other: Quantity) -> IntType:
    """-1, 0 or 1 where the first is smaller, the same or larger."""
    return IntType((one.amount > other.amount) - (one.amount < other.amount))


def sign(one: Quantity) -> IntType:
    """-1, 0 or 1."""
    return compare(one, Quantity(Fraction(0)))


def is_integer(one: Quantity) -> BoolType:
    """Return whether `as_integer` gives the whole of it."""
    return BoolType(one.amount.denominator == 1 and abs(one.amount) <= _LARGEST)


def as_integer(one: Quantity) -> IntType:
    """The number; raises ValueError where it is no integer of 64 bits."""
    if not is_integer(one):
        raise ValueError("cannot convert value to integer")
    return IntType(int(one.amount))


def as_float(one: Quantity) -> DoubleType:
    """The number, as near as a float comes."""
    return DoubleType(float(one.amount))

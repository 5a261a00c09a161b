"""States that tests wait for, as conditions on the objects of a namespace."""

from __future__ import annotations

from collections.abc import Callable

from tests.embedded.controllers.world import Items

Condition = Callable[[Items], bool]


def exactly(number: int) -> Condition:
    """There are so many objects."""
    return lambda items: len(items) == number


def there(*names: str) -> Condition:
    """All of these are there."""
    return lambda items: set(names) <= set(items)


def gone(*names: str) -> Condition:
    """None of these is there."""
    return lambda items: not set(names) & set(items)


def ending(name: str) -> Condition:
    """The deletion of this one was asked for."""
    return lambda items: name in items and bool(items[name]["metadata"].get("deletionTimestamp"))


def successor(name: str, uid: str) -> Condition:
    """Another object by this name took the place of the one with this uid."""
    return lambda items: name in items and items[name]["metadata"]["uid"] != uid


def status(name: str, **fields: object) -> Condition:
    """The status of this one has these fields."""
    return lambda items: (
        name in items and fields.items() <= (items[name].get("status") or {}).items()
    )

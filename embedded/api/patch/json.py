"""JSON Patch (RFC 6902), as a real server's library takes it, and within its bounds.

An index below 0 counts from the end, and `replace` adds a member that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from embedded.api.errors import ApiError, Subject, bad_request
from embedded.api.jsons import Json, copied, encode, same

MOST_OPERATIONS = 10_000
MOST_COPIED = 3 * 1024 * 1024
"""Bytes that all `copy` operations of a patch may add."""
_INDEX = re.compile(r"-?(0|[1-9][0-9]{0,9})")


class _InapplicableError(Exception):
    """An operation cannot be done to this target."""


def patched(target: Any, operations: Any, subject: Subject) -> Any:
    """The target, changed in place, after all operations.

    Raises ApiError 400 (malformed), 413 (too many operations) or 422 (not applicable).
    """
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    if len(operations) > MOST_OPERATIONS:
        raise ApiError(
            413,
            "RequestEntityTooLarge",
            f"Request entity too large: The allowed maximum operations in a JSON patch is "
            f"{MOST_OPERATIONS}, got {len(operations)}",
        )
    patch = _Patch(target)
    try:
        for operation in operations:
            patch.apply(_checked(operation))
    except _InapplicableError as error:
        text = f"the server rejected our request due to an error in our request: {error}"
        raise ApiError(422, "Invalid", text, subject.details()) from error
    return patch.target


def _checked(operation: Any) -> Json:
    """An operation with all that it needs; raises ApiError 400."""
    word = operation.get("op") if isinstance(operation, dict) else None
    if not isinstance(word, str) or word not in _OPERATIONS:
        raise bad_request(f"not a JSON patch: {_shown(operation)} is no operation")
    needed = {"path", "from"} if operation["op"] in {"move", "copy"} else {"path"}
    for name in sorted(needed):
        pointer = operation.get(name)
        if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
            raise bad_request(f"not a JSON patch: {_shown(operation)} has no {name} as /a/b")
    checked: Json = operation
    return checked


def _shown(operation: Any) -> str:
    return encode(operation)[:200].decode("utf-8", "replace")


class _Patch:
    """A target in the making."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self._copied = 0

    def apply(self, operation: Json) -> None:
        """Do one operation; raises _InapplicableError."""
        _OPERATIONS[operation["op"]](self, operation)

    def add(self, operation: Json) -> None:
        self._put(operation["path"], copied(operation.get("value")))

    def replace(self, operation: Json) -> None:
        place, name = self._parent(operation["path"])
        if place is None:
            self.target = copied(operation.get("value"))
        elif isinstance(place, list):
            place[_index(place, name)] = copied(operation.get("value"))
        else:
            place[name] = copied(operation.get("value"))

    def remove(self, operation: Json) -> None:
        self._take(operation["path"])

    def move(self, operation: Json) -> None:
        source, path = operation["from"], operation["path"]
        if path.startswith(f"{source}/"):
            raise _InapplicableError(f"move: {path} lies in {source}")
        value = self._at(source)
        if source != path:
            self._take(source)
            self._put(path, value)

    def copy(self, operation: Json) -> None:
        value = self._at(operation["from"])
        self._copied += len(encode(value))
        if self._copied > MOST_COPIED:
            raise _InapplicableError(
                f"Unable to complete the copy, the accumulated size increase of copy is "
                f"{self._copied}, exceeding the limit {MOST_COPIED}"
            )
        self._put(operation["path"], copied(value))

    def test(self, operation: Json) -> None:
        path, wanted = operation["path"], operation.get("value")
        place, name = self._parent(path)
        # A member that is not there equals null.
        absent = isinstance(place, dict) and name not in place
        found = None if absent else self._at(path)
        if not same(found, wanted):
            raise _InapplicableError(f"testing path {path}: the value is another")

    def _parent(self, path: str) -> tuple[Any, str]:
        """The object or list that a pointer leads into, None for the whole; and the last step."""
        if not path:
            return None, ""
        *steps, name = (step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/"))
        place = self.target
        for step in steps:
            place = _member(place, step, path)
        if not isinstance(place, dict | list):
            raise _InapplicableError(f"{path}: there is no such path")
        return place, name

    def _at(self, path: str) -> Any:
        place, name = self._parent(path)
        return self.target if place is None else _member(place, name, path)

    def _put(self, path: str, value: Any) -> None:
        place, name = self._parent(path)
        if place is None:
            self.target = value
        elif isinstance(place, list):
            place.insert(len(place) if name == "-" else _index(place, name, more=1), value)
        else:
            place[name] = value

    def _take(self, path: str) -> None:
        place, name = self._parent(path)
        if place is None:
            raise _InapplicableError("the whole cannot be removed")
        _member(place, name, path)
        if isinstance(place, list):
            del place[_index(place, name)]
        else:
            del place[name]


def _member(place: Any, step: str, path: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, step)]
    if isinstance(place, dict) and step in place:
        return place[step]
    raise _InapplicableError(f"{path}: there is no such path")


def _index(place: list[Any], step: str, more: int = 0) -> int:
    number = int(step) if _INDEX.fullmatch(step) else len(place) + more
    size = len(place) + more
    if not -size <= number < size:
        raise _InapplicableError(f"{step} is no index of a list of {len(place)}")
    return number + size if number < 0 else number


_OPERATIONS: Mapping[str, Callable[[_Patch, Json], None]] = MappingProxyType(
    {
        "add": _Patch.add,
        "copy": _Patch.copy,
        "move": _Patch.move,
        "remove": _Patch.remove,
        "replace": _Patch.replace,
        "test": _Patch.test,
    }
)

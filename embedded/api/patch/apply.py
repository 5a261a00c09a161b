"""Server-side apply: merge what one manager wants, and remove what it no longer wants.

After KEP 555 and the structured merge diff design: a manager owns exactly the fields of its last
configuration. A field that it drops is removed unless somebody else owns it; a field that it
changes against another owner is a conflict, unless forced.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from embedded.api import fieldset, managers
from embedded.api.errors import ApiError, Cause, Subject, bad_request
from embedded.api.fieldset import Path
from embedded.api.jsons import Json, copied
from embedded.api.managers import Owner
from embedded.api.types.shape import ANY, Shape


def merged(shape: Shape, live: Any, wanted: Any) -> Any:
    """The live value with the wanted one in it."""
    if isinstance(wanted, dict) and isinstance(live, dict) and not shape.whole:
        result = dict(live)
        for name, value in wanted.items():
            child = shape.child(name)
            result[name] = merged(child, live[name], value) if name in live else copied(value)
        return result
    if isinstance(wanted, list) and isinstance(live, list) and not shape.whole:
        return _merged_list(shape, live, wanted) if shape.kind == "list" else copied(wanted)
    return copied(wanted)


def _merged_list(shape: Shape, live: list[Any], wanted: list[Any]) -> list[Any]:
    mine = {fieldset.item_step(shape, item): item for item in live}
    theirs = {fieldset.item_step(shape, item): item for item in wanted}
    if len(theirs) != len(wanted):
        raise bad_request("server-side apply: a list has two items with the same key")
    element = shape.element or ANY
    order = list(theirs)
    result: dict[str, Any] = {}
    for step, item in mine.items():
        if step not in theirs:
            result[step] = item
        elif step not in result:
            due = order[: order.index(step) + 1]
            _take(result, [name for name in due if name not in result], element, mine, theirs)
    _take(result, [name for name in order if name not in result], element, mine, theirs)
    return list(result.values())


def _take(result: Json, steps: Iterable[str], element: Shape, mine: Json, theirs: Json) -> None:
    for step in steps:
        item = theirs[step]
        result[step] = merged(element, mine[step], item) if step in mine else copied(item)


@dataclass(frozen=True)
class _Removal:
    """Fields to remove, and fields that are owned and so stay even when they become empty."""

    gone: Collection[Path]
    owned: Collection[Path]
    at: Path = ()

    def inside(self, step: str) -> _Removal:
        """Return the fields to remove below a step."""
        below = [path[1:] for path in self.gone if path[0] == step and len(path) > 1]
        return _Removal(below, self.owned, (*self.at, step))

    def takes(self, step: str) -> bool:
        return (step,) in self.gone


def _without(shape: Shape, value: Any, removal: _Removal) -> Any:
    if not removal.gone:
        return value
    if isinstance(value, dict):
        return _object_without(shape, value, removal)
    if isinstance(value, list):
        return _list_without(shape, value, removal)
    return value


def _object_without(shape: Shape, value: Json, removal: _Removal) -> Json:
    result = {}
    for name, item in value.items():
        step = f"f:{name}"
        if removal.takes(step):
            continue
        inner = removal.inside(step)
        rest = _without(shape.child(name), item, inner)
        # What becomes empty goes too, unless somebody owns it as such.
        if rest not in ({}, []) or item == rest or inner.at in removal.owned:
            result[name] = rest
    return result


def _list_without(shape: Shape, value: list[Any], removal: _Removal) -> list[Any]:
    element = shape.element or ANY
    steps = [(fieldset.item_step(shape, item), item) for item in value]
    return [
        _without(element, item, removal.inside(step))
        for step, item in steps
        if not removal.takes(step)
    ]


def applied(
    shape: Shape, live: Json, wanted: Json, writer: Owner, subject: Subject, *, force: bool
) -> tuple[Json, list[Owner]]:
    """The new object, not yet defaulted, and its owners; raises ApiError 409 for conflicts."""
    owners = managers.read(live)
    mine = next((owner for owner in owners if owner.identity == writer.identity), writer)
    others = [owner for owner in owners if owner is not mine]
    fields = frozenset(fieldset.flatten(shape, wanted))
    result = merged(shape, live, wanted)
    result = _without(shape, result, _removal(mine.fields - fields, fields, others))
    if result == live:
        return result, [*others, mine.owning(fields)]
    written, gone = fieldset.changes(fieldset.flatten(shape, live), fieldset.flatten(shape, result))
    if not force:
        _refuse_conflicts(written & fields, others, subject)
    rest = [owner.without(written | gone) for owner in others]
    return result, [*rest, mine.owning(fields)]


def _removal(dropped: frozenset[Path], kept: frozenset[Path], others: Iterable[Owner]) -> _Removal:
    if not dropped:
        return _Removal((), ())
    owned = {path[:length] for path in _all(kept, others) for length in range(1, len(path) + 1)}
    return _Removal(dropped - owned, owned)


def _all(kept: frozenset[Path], others: Iterable[Owner]) -> Iterable[Path]:
    yield from kept
    for owner in others:
        yield from owner.fields


def _refuse_conflicts(written: frozenset[Path], others: Iterable[Owner], subject: Subject) -> None:
    causes = [
        Cause(field=_dotted(path), reason="FieldManagerConflict", message=_words(owner))
        for owner in others
        for path in sorted(owner.fields & written)
    ]
    if not causes:
        return
    plural = "conflict" if len(causes) == 1 else "conflicts"
    text = f"Apply failed with {len(causes)} {plural}: {_listed(causes)}"
    details = subject.details(causes=[cause.as_json() for cause in causes])
    raise ApiError(409, "Conflict", text, details)


def _listed(causes: list[Cause]) -> str:
    if len(causes) == 1:
        return f"{causes[0].message}: {causes[0].field}"
    fields: dict[str, list[str]] = {}
    for cause in causes:
        fields.setdefault(cause.message.removeprefix("conflict "), []).append(cause.field)
    lines = []
    for manager in sorted(fields):
        lines += [f"conflicts {manager}:", *(f"- {field}" for field in fields[manager])]
    return "\n".join(lines)


def _words(owner: Owner) -> str:
    operation, manager, api_version, subresource = owner.identity
    sub = f' with subresource "{subresource}"' if subresource else ""
    using = f" using {api_version}" if operation != "Apply" else ""
    return f'conflict with "{manager}"{sub}{using}'


def _dotted(path: Path) -> str:
    text = ""
    for step in path:
        mark, rest = step[:2], step[2:]
        if mark == "f:":
            text += f".{rest}"
        elif mark == "k:":
            keys = ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(rest).items())
            text += f"[{keys}]"
        else:
            text += f"[={rest}]"
    return text

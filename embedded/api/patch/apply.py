"""Server-side apply: merge what one manager wants, and remove what it no longer wants.

After KEP 555 and the structured merge diff design: a manager owns exactly the fields of its last
configuration. A field that it drops is removed unless somebody else owns it; a field that it
changes against another owner is a conflict, unless forced.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
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


def without(shape: Shape, value: Any, paths: Collection[Path]) -> Any:
    """The value without what is at the paths; what becomes empty by it goes too."""
    here = {path[0] for path in paths if len(path) == 1}
    deeper: dict[str, list[Path]] = {}
    for path in paths:
        if len(path) > 1 and path[0] not in here:
            deeper.setdefault(path[0], []).append(path[1:])
    if isinstance(value, dict):
        return _object_without(shape, value, here, deeper)
    if isinstance(value, list):
        return _list_without(shape, value, here, deeper)
    return value


def _object_without(
    shape: Shape, value: Json, here: set[str], deeper: dict[str, list[Path]]
) -> Json:
    result = {}
    for name, item in value.items():
        step = f"f:{name}"
        if step in here:
            continue
        if step in deeper:
            rest = without(shape.child(name), item, deeper[step])
            if rest in ({}, []) and item != rest:
                continue
            result[name] = rest
        else:
            result[name] = item
    return result


def _list_without(
    shape: Shape, value: list[Any], here: set[str], deeper: dict[str, list[Path]]
) -> list[Any]:
    result = []
    for item in value:
        step = fieldset.item_step(shape, item)
        if step not in here:
            inner = deeper.get(step)
            result.append(without(shape.element or ANY, item, inner) if inner else item)
    return result


def applied(
    shape: Shape, live: Json, wanted: Json, writer: Owner, subject: Subject, *, force: bool
) -> tuple[Json, list[Owner]]:
    """The new object, not yet defaulted, and its owners; raises ApiError 409 for conflicts."""
    owners = managers.read(live)
    mine = next((owner for owner in owners if owner.identity == writer.identity), writer)
    others = [owner for owner in owners if owner is not mine]
    fields = frozenset(fieldset.flatten(shape, wanted))
    result = merged(shape, live, wanted)
    dropped = _removable(mine.fields - fields, fields, others)
    if dropped:
        result = without(shape, result, dropped)
    written, gone = fieldset.changes(fieldset.flatten(shape, live), fieldset.flatten(shape, result))
    if not force:
        _refuse_conflicts(written & fields, others, subject)
    rest = [owner.owning(owner.fields - written - gone) for owner in others]
    return result, [*rest, mine.owning(fields)]


def _removable(
    dropped: frozenset[Path], kept: frozenset[Path], others: Iterable[Owner]
) -> set[Path]:
    if not dropped:
        return set()
    owned = {path[:length] for path in _all(kept, others) for length in range(1, len(path) + 1)}
    return {path for path in dropped if path not in owned}


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
    listed = "; ".join(f"{cause.message}: {cause.field}" for cause in causes)
    plural = "conflict" if len(causes) == 1 else "conflicts"
    text = f"Apply failed with {len(causes)} {plural}: {listed}"
    details = subject.details(causes=[cause.as_json() for cause in causes])
    raise ApiError(409, "Conflict", text, details)


def _words(owner: Owner) -> str:
    sub = f' with subresource "{owner.subresource}"' if owner.subresource else ""
    using = f" using {owner.api_version}" if owner.operation != "Apply" else ""
    return f'conflict with "{owner.manager}"{sub}{using}'


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

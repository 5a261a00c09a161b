"""Strategic merge patch: merge patch that knows the keys of the built-in kinds' lists.

The directives are those of the API conventions: `$patch: delete|replace|merge`,
`$deleteFromPrimitiveList/…`, `$setElementOrder/…` and `$retainKeys`.
"""

from __future__ import annotations

from typing import Any

from embedded.api.errors import bad_request
from embedded.api.jsons import Json
from embedded.api.types.shape import ANY, Shape

_DELETE = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"
_RETAIN = "$retainKeys"


def merged(shape: Shape, target: Any, patch: Json) -> Json:
    """The target with the patch in it; raises ApiError 400 for a patch that makes no sense."""
    directive = patch.get("$patch")
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    if directive == "delete":
        return {}
    result: Json = dict(target) if isinstance(target, dict) else {}
    if _RETAIN in patch:
        result = {name: value for name, value in result.items() if name in patch[_RETAIN]}
    for name, value in patch.items():
        if not name.startswith("$"):
            _member(shape.child(name), result, name, value)
    for name, value in patch.items():
        if name.startswith((_DELETE, _ORDER)):
            directive_name, member = name.split("/", 1)
            _list_directive(shape.child(member), result, directive_name + "/", member, value)
    return result


def _member(shape: Shape, result: Json, name: str, value: Any) -> None:
    if value is None:
        result.pop(name, None)
    elif isinstance(value, dict):
        result[name] = merged(shape, result.get(name), value)
    elif isinstance(value, list) and "merge" in shape.patch:
        result[name] = _merged_list(shape, result.get(name) or [], value)
    else:
        result[name] = _cleaned(value)


def _cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return merged(ANY, {}, value)
    return value


def _merged_list(shape: Shape, target: list[Any], patch: list[Any]) -> list[Any]:
    if not shape.merge_key:
        return [*target, *(item for item in patch if item not in target)]
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if item.get("$patch") != "replace"]
    result = list(target)
    for item in patch:
        _merge_item(shape, result, item)
    return result


def _merge_item(shape: Shape, result: list[Any], item: Any) -> None:
    key = shape.merge_key
    if not isinstance(item, dict) or key not in item:
        raise bad_request(f"strategic merge patch: an item of the list lacks its merge key {key!r}")
    position = next((at for at, old in enumerate(result) if old.get(key) == item[key]), None)
    if item.get("$patch") == "delete":
        if position is not None:
            del result[position]
    elif position is None:
        result.append(merged(shape.element or ANY, {}, item))
    else:
        result[position] = merged(shape.element or ANY, result[position], item)


def _list_directive(shape: Shape, result: Json, directive: str, name: str, value: Any) -> None:
    items = result.get(name)
    if not isinstance(items, list):
        return
    if directive == _DELETE:
        result[name] = [item for item in items if item not in value]
        return
    key = shape.merge_key
    order = [item[key] if key and isinstance(item, dict) else item for item in value]
    names = [item.get(key) if key else item for item in items]
    listed = sorted(
        (at for at in range(len(items)) if names[at] in order),
        key=lambda at: order.index(names[at]),
    )
    chosen = iter(listed)
    result[name] = [
        items[next(chosen)] if names[at] in order else items[at] for at in range(len(items))
    ]

"""The JSONPath of printer columns: members, indexes, and filters by equality."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(
    r"\.(?P<name>(?:\\.|[^.\[\\])+)"
    r"|\[(?P<index>-?\d+|\*)\]"
    r"|\['(?P<quoted>[^']+)'\]"
    r"|\[\?\(\s*@\.(?P<key>[\w.]+)\s*==\s*(?P<quote>[\"'])(?P<value>.*?)(?P=quote)\s*\)\]"
)


def find(path: str, value: Any) -> Any:
    """Return the first value at a path such as `.status.conditions[?(@.type=="Ready")].status`.

    None where nothing is there.
    """
    found = [value]
    for step in _STEP.finditer(path.strip().strip("{}")):
        found = [inner for item in found for inner in _take(step, item)]
    return found[0] if found else None


def _take(step: re.Match[str], value: Any) -> list[Any]:
    name = step["quoted"] or (step["name"] or "").replace("\\", "")
    if name:
        return [value[name]] if isinstance(value, dict) and name in value else []
    if not isinstance(value, list):
        return []
    if step["key"]:
        return [item for item in value if find(f".{step['key']}", item) == step["value"]]
    if step["index"] == "*":
        return value
    index = int(step["index"])
    return [value[index]] if -len(value) <= index < len(value) else []

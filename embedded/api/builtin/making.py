"""From a message of the table of types to the resource of a built-in kind."""

from __future__ import annotations

from typing import Any

from embedded.api.builtin import columns
from embedded.api.builtin.rules import BuiltinRules
from embedded.api.resources import Resource
from embedded.api.types.builtin import top_level


def builtin(
    *,
    message: str,
    plural: str,
    group: str = "",
    version: str = "v1",
    short_names: tuple[str, ...] = (),
    **more: Any,
) -> Resource:
    """Return the resource of the kind that `message` defines; the core group is empty.

    `defaults`, `on_admission`, `on_create`, `on_update` and `check` are rules of the kind, the
    rest are fields of the Resource.
    """
    shape = top_level(message)
    kind = message.split(".")[1]
    rules = {
        name: more.pop(name)
        for name in ("defaults", "on_admission", "on_create", "on_update", "check")
        if name in more
    }
    more.setdefault("columns", columns.of(kind))
    return Resource(
        group=group,
        version=version,
        plural=plural,
        kind=kind,
        singular=kind.lower(),
        list_kind=f"{kind}List",
        short_names=short_names,
        shape=shape,
        rules=BuiltinRules(shape=shape, **rules),
        **more,
    )

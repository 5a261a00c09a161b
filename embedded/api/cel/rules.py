"""The rules of a schema: where they are, when they are looked at, and what a false one says.

Rules: Kubernetes documentation, "Extend the Kubernetes API with CustomResourceDefinitions",
validation rules. The library that evaluates them takes a third of a second to begin with: it is
imported where a schema has rules, and not before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from embedded.api.cel import limits
from embedded.api.errors import Cause
from embedded.api.jsons import Json, same

_OLD = re.compile(r"\boldSelf\b")
_TOO_LONG = (
    "'operation cancelled: actual cost limit exceeded': no further validation rules will be run "
    "due to call cost exceeds limit for rule: "
)
_RULES = "x-kubernetes-validations"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule."""

    rule: str
    message: str
    message_expression: str
    reason: str
    field_path: str
    optional_old: bool

    @property
    def transition(self) -> bool:
        """Return whether the rule looks at the value before."""
        return bool(_OLD.search(self.rule))


@dataclass(frozen=True, kw_only=True)
class Node:
    """A part of a schema with rules in it, or further down."""

    schema: Json
    rules: tuple[Rule, ...]
    properties: Mapping[str, Node]
    more: Node | None
    items: Node | None
    keys: tuple[str, ...]
    """Of a list that is a map: the members by which old and new items are the same."""

    @property
    def transitions(self) -> bool:
        """Return whether any rule in it looks at the value before."""
        return any(rule.transition for rule in self.rules) or any(
            child.transitions for child in self.children()
        )

    def children(self) -> Iterator[Node]:
        """Yield the parts below."""
        yield from self.properties.values()
        yield from (node for node in (self.more, self.items) if node is not None)

    def all_rules(self) -> Iterator[Rule]:
        """Yield the rules here and below."""
        yield from self.rules
        for child in self.children():
            yield from child.all_rules()


def node_of(schema: Json) -> Node | None:
    """The rules of a schema; None where it has none."""
    parts = (schema.get("properties") or {}).items()
    below = {name: node for name, part in parts if (node := node_of(part)) is not None}
    more, items = schema.get("additionalProperties"), schema.get("items")
    node = Node(
        schema=schema,
        rules=tuple(map(_rule, schema.get(_RULES) or [])),
        properties=below,
        more=node_of(more) if isinstance(more, dict) else None,
        items=node_of(items) if isinstance(items, dict) else None,
        keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
    )
    return node if node.rules or any(node.children()) else None


def _rule(given: Json) -> Rule:
    return Rule(
        rule=given.get("rule", ""),
        message=given.get("message", ""),
        message_expression=given.get("messageExpression", ""),
        reason=given.get("reason") or "FieldValueInvalid",
        field_path=given.get("fieldPath", ""),
        optional_old=bool(given.get("optionalOldSelf")),
    )


class _StoppedError(Exception):
    """A rule took too long; says so as a cause."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.message)
        self.cause = cause


def causes(node: Node, value: Any, old: Any) -> list[Cause]:
    """What rules say against a value; what is as it was is looked at by transitions alone.

    Rules that take too long in all are the last cause, and the rest is not looked at.
    """
    found: list[Cause] = []
    try:
        with limits.budget():
            # One by one, so that what was found before a stop is kept.
            for cause in _causes(node, value, old, ""):
                found.append(cause)
    except _StoppedError as stop:
        found.append(stop.cause)
    except limits.OverBudgetError:
        text = (
            "validation failed due to running out of cost budget, no further validation rules will "
            "be run"
        )
        found.append(Cause(field="<nil>", reason="FieldValueInvalid", message=text))
    return found


def _causes(node: Node, value: Any, old: Any, path: str) -> Iterator[Cause]:
    if value is None:
        return
    unchanged = old is not None and (value is old or same(value, old))
    if unchanged and not node.transitions:
        return
    yield from _here(node, value, old, path, unchanged=unchanged)
    if isinstance(value, dict):
        before = old if isinstance(old, dict) else {}
        known = node.schema.get("properties") or {}
        for name, item in value.items():
            child = node.properties.get(name) or (None if name in known else node.more)
            if child is not None:
                where = f"{path}.{name}" if path else name
                yield from _causes(child, item, before.get(name), where)
    elif isinstance(value, list) and node.items is not None:
        for position, item in enumerate(value):
            before = _counterpart(node.keys, item, old)
            yield from _causes(node.items, item, before, f"{path}[{position}]")


def _counterpart(keys: tuple[str, ...], item: Any, old: Any) -> Any:
    if not keys or not isinstance(item, dict) or not isinstance(old, list):
        return None
    return next(
        (
            other
            for other in old
            if isinstance(other, dict) and all(other.get(k) == item.get(k) for k in keys)
        ),
        None,
    )


def _here(node: Node, value: Any, old: Any, path: str, *, unchanged: bool) -> Iterator[Cause]:
    wanted = [
        rule
        for rule in node.rules
        if (rule.transition and (old is not None or rule.optional_old))
        or not (rule.transition or unchanged)
    ]
    if not wanted:
        return
    from embedded.api.cel import programs

    bound = programs.bound(node.schema, value, old)
    for rule in wanted:
        where = f"{path}{rule.field_path}".lstrip(".") or "<nil>"
        begin = f"Invalid value: {_shown(node.schema, value)}: "
        try:
            said = programs.said_against(rule, bound)
        except limits.OverBudgetError:
            text = f"{begin}{_TOO_LONG}{rule.message or rule.rule}"
            cause = Cause(field=where, reason="FieldValueInvalid", message=text)
            raise _StoppedError(cause) from None
        if said:
            yield Cause(field=where, reason=rule.reason, message=begin + said)


def _shown(schema: Json, value: Any) -> str:
    kind = schema.get("type") or ("object" if isinstance(value, dict) else "")
    return f'"{kind}"'


def unsupported(schema: Json) -> Iterator[str]:
    """Yield the rules of a schema that cannot be evaluated here, each with the reason."""
    node = node_of(schema)
    if node is None:
        return
    from embedded.api.cel import programs

    for rule in node.all_rules():
        why = programs.unsupported(rule.rule)
        if why:
            yield f"{rule.rule!r} is not evaluated here: {why}"

"""Label and field selectors, parsed once and asked of each object."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from embedded.api.errors import bad_request
from embedded.api.jsons import Json, at

_SET = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)\s*$")
_PAIR = re.compile(r"^\s*(?P<key>[^\s!=<>,()]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s=!]*)\s*$")
_ORDER = re.compile(r"^\s*(?P<key>[^\s!=<>,()]+)\s*(?P<op>[<>])\s*(?P<value>-?\d+)\s*$")
_EXISTS = re.compile(r"^\s*(?P<not>!?)\s*(?P<key>[^\s!=<>,()]+)\s*$")
_COMMA = re.compile(r",(?![^(]*\))")


@dataclass(frozen=True)
class Term:
    """One demand: the key, and whether its value (None: not there) pleases."""

    key: str
    accepts: Callable[[str | None], bool]


@dataclass(frozen=True)
class Selector:
    """Demands on labels and on fields, all of which must hold."""

    labels: tuple[Term, ...] = ()
    fields: tuple[Term, ...] = ()

    @property
    def everything(self) -> bool:
        """Nothing is demanded."""
        return not self.labels and not self.fields

    def matches(self, obj: Json) -> bool:
        """Return whether the object meets all demands."""
        labels = obj["metadata"].get("labels") or {}
        return all(term.accepts(labels.get(term.key)) for term in self.labels) and all(
            term.accepts(_text(at(obj, *term.key.split(".")))) for term in self.fields
        )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def parse(labels: str, fields: str, allowed: Sequence[str], *, typed: bool = False) -> Selector:
    """Both selectors of a request; raises ApiError 400. A `typed` kind has fields of its own."""
    return Selector(parse_labels(labels), _parse_fields(fields, allowed, typed=typed))


def parse_labels(text: str) -> tuple[Term, ...]:
    """`a=b,c in (d, e),!f`; raises ApiError 400."""
    return tuple(_label_term(part) for part in _COMMA.split(text) if part.strip())


def _label_term(text: str) -> Term:
    if found := _SET.match(text):
        values = frozenset(value.strip() for value in found["values"].split(","))
        within = found["op"] == "in"
        return Term(found["key"], lambda value: (value in values) == within)
    if found := _PAIR.match(text):
        wanted, equal = found["value"], found["op"] != "!="
        return Term(found["key"], lambda value: (value == wanted) == equal)
    if found := _ORDER.match(text):
        return _order_term(found["key"], found["op"] == "<", int(found["value"]))
    if found := _EXISTS.match(text):
        absent = found["not"] == "!"
        return Term(found["key"], lambda value: (value is None) == absent)
    raise bad_request(f"unable to parse requirement: {text.strip()!r} is no label selector")


def _order_term(key: str, less: bool, bound: int) -> Term:
    def accepts(value: str | None) -> bool:
        if value is None or not re.fullmatch(r"-?\d+", value):
            return False
        return int(value) < bound if less else int(value) > bound

    return Term(key, accepts)


def _parse_fields(text: str, allowed: Sequence[str], *, typed: bool) -> tuple[Term, ...]:
    terms = []
    for part in (part for part in text.split(",") if part.strip()):
        found = _PAIR.match(part)
        if not found:
            raise bad_request(f"invalid field selector: {part.strip()!r}")
        if found["key"] not in allowed:
            name = found["key"]
            if typed:
                raise bad_request(f"field label not supported: {name}")
            known = 'only "metadata.name", "metadata.namespace"'
            raise bad_request(f'"{name}" is not a known field selector: {known}')
        terms.append(_field_term(found["key"], found["value"], found["op"] != "!="))
    return tuple(terms)


def _field_term(key: str, wanted: str, equal: bool) -> Term:
    return Term(key, lambda value: (value == wanted) == equal)


def from_label_selector(selector: Json) -> tuple[Term, ...]:
    """A `LabelSelector` object, as in `spec.selector`, as terms."""
    pairs = (selector.get("matchLabels") or {}).items()
    expressions = selector.get("matchExpressions") or []
    return (
        *(_field_term(key, value, True) for key, value in pairs),
        *map(_expression, expressions),
    )


def _expression(demand: Json) -> Term:
    values = frozenset(demand.get("values") or [])
    accepts: dict[str, Callable[[str | None], bool]] = {
        "In": lambda value: value in values,
        "NotIn": lambda value: value not in values,
        "Exists": lambda value: value is not None,
        "DoesNotExist": lambda value: value is None,
    }
    return Term(demand["key"], accepts[demand["operator"]])

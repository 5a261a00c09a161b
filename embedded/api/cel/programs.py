"""Compiled rules, and what they say of a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import celpy
from celpy.celparser import CELParseError
from celpy.evaluation import CELEvalError, base_functions

from embedded.api.cel.functions import FUNCTIONS, LIBRARIES
from embedded.api.cel.optionals import Maybe
from embedded.api.cel.rules import Rule
from embedded.api.cel.values import value_of
from embedded.api.jsons import Json

_MACROS = frozenset({"has", "all", "exists", "exists_one", "map", "filter", "dyn"})
_ARGUMENTS = 2
"""Of the macros that are known here; those with an index or a key besides have three."""
_KNOWN = _MACROS | base_functions.keys() | FUNCTIONS.keys()
_FAILURES = (
    CELEvalError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What an evaluation ends with where the value does not fit the expression."""

Bound = Mapping[str, Any]


@cache
def _environment() -> celpy.Environment:
    return celpy.Environment()


@cache
def _program(text: str) -> celpy.Runner | str:
    """The program, or why there is none."""
    try:
        tree = _environment().compile(text)
    except CELParseError as error:
        return f"it cannot be read: {str(error).splitlines()[0]}"
    unknown = sorted(_called(tree) - _KNOWN)
    if unknown:
        return f"it calls {', '.join(unknown)}"
    for name, number in _macros(tree):
        if number > _ARGUMENTS:
            return f"it calls {name} with {number} arguments"
    return _environment().program(tree, functions=dict(FUNCTIONS))


def _called(tree: Any) -> set[str]:
    """The names of the functions and methods in an expression."""
    found = set()
    for part in tree.iter_subtrees():
        if part.data in {"ident_arg", "dot_ident_arg"}:
            found.add(str(part.children[0]))
        elif part.data == "member_dot_arg":
            found.add(str(part.children[1]))
    return found


def _macros(tree: Any) -> Iterator[tuple[str, int]]:
    """The macros on lists and maps that an expression has, each with its number of arguments."""
    for part in tree.find_data("member_dot_arg"):
        name, given = str(part.children[1]), part.children[2:]
        if name in _MACROS and given:
            yield name, len(given[0].children)


def unsupported(rule: str) -> str:
    """Why a rule cannot be evaluated; empty where it can."""
    found = _program(rule)
    return found if isinstance(found, str) else ""


def bound(schema: Json, value: Any, old: Any) -> Bound:
    """The variables of a rule."""
    found = {**LIBRARIES, "self": value_of(schema, value)}
    if old is not None:
        found["oldSelf"] = value_of(schema, old)
    return MappingProxyType(found)


def _variables(rule: Rule, variables: Bound) -> dict[str, Any]:
    if not rule.optional_old:
        return dict(variables)
    old = (variables["oldSelf"],) if "oldSelf" in variables else ()
    return {**variables, "oldSelf": Maybe(old)}


def said_against(rule: Rule, variables: Bound) -> str:
    """What a rule says against a value; empty where it holds, or cannot be evaluated here."""
    program = _program(rule.rule)
    if isinstance(program, str):
        return ""
    try:
        if program.evaluate(_variables(rule, variables)):
            return ""
    except _FAILURES as error:
        why = str(error.args[0] if error.args else error)
        return f"{why} evaluating rule: {rule.message or rule.rule}"
    return _told(rule, variables) or rule.message or f"failed rule: {rule.rule}"


def _told(rule: Rule, variables: Bound) -> str:
    if not rule.message_expression:
        return ""
    program = _program(rule.message_expression)
    if isinstance(program, str):
        return ""
    try:
        found = program.evaluate(_variables(rule, variables))
    except _FAILURES:
        # As there: the message that the rule has besides is used instead.
        return ""
    return str(found) if isinstance(found, str) else ""

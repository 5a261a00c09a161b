"""Which labels a selector matches."""

from __future__ import annotations

import pytest

from embedded.client import Json
from embedded.controllers.ownership import matches


def rule(operator: str, *values: str) -> Json:
    return {"matchExpressions": [{"key": "a", "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "labels", "matched"),
    [
        ({}, {"a": "1"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
        ({"matchLabels": {"a": "1", "b": "2"}}, {"a": "1"}, False),
        (rule("In", "1", "2"), {"a": "2"}, True),
        (rule("In", "1"), {}, False),
        (rule("NotIn", "1"), {}, True),
        (rule("NotIn", "1"), {"a": "1"}, False),
        (rule("Exists"), {"a": ""}, True),
        (rule("Exists"), {}, False),
        (rule("DoesNotExist"), {}, True),
        (rule("DoesNotExist"), {"a": ""}, False),
    ],
)
def test_selectors(selector: Json, labels: dict[str, str], matched: bool) -> None:
    assert matches(selector, labels) is matched

"""Lists: selectors and pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.api.raw import Raw

Paths = Callable[..., str]


def names(answer: Any) -> list[str]:
    return [item["metadata"]["name"] for item in answer.body["items"]]


@pytest.fixture
def three(api: Raw, core: Paths) -> str:
    for name, labels in (("b", {"tier": "db", "x": ""}), ("a", {"tier": "web"}), ("c", {})):
        body = {"metadata": {"name": name, "labels": labels}, "type": f"example.com/{name}"}
        assert api.post(core("secrets"), body).code == 201
    return core("secrets")


def test_a_list_is_sorted_and_says_its_version(api: Raw, three: str) -> None:
    answer = api.get(three)
    assert names(answer) == ["a", "b", "c"]
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("SecretList", "v1")
    assert int(answer.version) >= int(answer.body["items"][2]["metadata"]["resourceVersion"])


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("tier=db", ["b"]),
        ("tier==db", ["b"]),
        ("tier!=db", ["a", "c"]),
        ("tier in (db, web)", ["a", "b"]),
        ("tier notin (db)", ["a", "c"]),
        ("tier", ["a", "b"]),
        ("!tier", ["c"]),
        ("x=", ["b"]),
        ("tier in (db,web),!x", ["a"]),
    ],
)
def test_label_selectors(api: Raw, three: str, selector: str, found: list[str]) -> None:
    assert names(api.get(three, labelSelector=selector)) == found


@pytest.mark.parametrize("selector", ["a b", "a in b", "=x", "tier in (db"])
def test_a_label_selector_that_is_none_is_400(api: Raw, three: str, selector: str) -> None:
    assert api.get(three, labelSelector=selector).code == 400


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("metadata.name=b", ["b"]),
        ("metadata.name!=b", ["a", "c"]),
        ("type=example.com/c", ["c"]),
        ("metadata.name=a,type=example.com/c", []),
    ],
)
def test_field_selectors(api: Raw, three: str, selector: str, found: list[str]) -> None:
    assert names(api.get(three, fieldSelector=selector)) == found


def test_a_field_that_cannot_be_selected_is_400(api: Raw, three: str) -> None:
    answer = api.get(three, fieldSelector="data.x=1")
    assert (answer.code, answer.message) == (400, "field label not supported: data.x")


def test_events_are_selected_by_what_they_are_about(api: Raw, core: Paths) -> None:
    for name in ("x", "y"):
        about = {"kind": "Pod", "name": name}
        api.post(core("events"), {"metadata": {"name": f"e-{name}"}, "involvedObject": about})
    selector = "involvedObject.kind=Pod,involvedObject.name=x"
    assert names(api.get(core("events"), fieldSelector=selector)) == ["e-x"]


def test_events_have_two_views(api: Raw, core: Paths, namespace: str) -> None:
    new = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    regarding = {"kind": "Pod", "name": "p"}
    body = {"metadata": {"name": "e"}, "regarding": regarding, "note": "hello"}
    made = api.post(new, body).body
    old = api.get(core("events", "e")).body
    assert (made["note"], made["apiVersion"]) == ("hello", "events.k8s.io/v1")
    assert (old["message"], old["involvedObject"], old["apiVersion"]) == ("hello", regarding, "v1")


def test_pages_show_one_moment(api: Raw, three: str) -> None:
    first = api.get(three, limit=2)
    assert names(first) == ["a", "b"]
    assert first.body["metadata"]["remainingItemCount"] == 1
    api.delete(f"{three}/c")
    api.post(three, {"metadata": {"name": "d"}})
    second = api.get(three, limit=2, **{"continue": first.body["metadata"]["continue"]})
    assert (names(second), second.version) == (["c"], first.version)
    assert "continue" not in second.body["metadata"]


def test_a_continue_token_that_is_none_is_400(api: Raw, three: str) -> None:
    assert api.get(three, **{"continue": "nonsense"}).code == 400


def test_a_list_at_an_exact_version(api: Raw, three: str) -> None:
    version = api.get(three).version
    api.delete(f"{three}/a")
    answer = api.get(three, resourceVersion=version, resourceVersionMatch="Exact")
    assert names(answer) == ["a", "b", "c"]


def test_a_version_of_the_future_is_504(api: Raw, three: str) -> None:
    answer = api.get(three, resourceVersion=10**9)
    assert answer.code == 504
    assert answer.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_all_namespaces(api: Raw, three: str, namespace: str) -> None:
    found = api.get("/api/v1/secrets", labelSelector="tier=db").body["items"]
    assert namespace in {item["metadata"]["namespace"] for item in found}


def test_metadata_alone(api: Raw, three: str) -> None:
    accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    answer = api("GET", three, accept=accept)
    assert answer.body["kind"] == "PartialObjectMetadataList"
    assert set(answer.body["items"][0]) == {"kind", "apiVersion", "metadata"}

"""The local copy and its indices."""

from __future__ import annotations

from embedded.client.resources import Json
from embedded.client.store import Store


def labelled(name: str, *colours: str) -> Json:
    return {"metadata": {"namespace": "n", "name": name}, "colours": list(colours)}


def colours(obj: Json) -> list[str]:
    return list(obj["colours"])


def names(found: list[Json]) -> list[str]:
    return [obj["metadata"]["name"] for obj in found]


def test_an_index_follows_every_change() -> None:
    store = Store()
    store.put(labelled("before", "red"))
    store.add_index("colour", colours)
    store.put(labelled("a", "red", "blue"))
    assert names(store.by_index("colour", "red")) == ["before", "a"]
    store.put(labelled("a", "green"))
    assert names(store.by_index("colour", "red")) == ["before"]
    assert names(store.by_index("colour", "green")) == ["a"]
    store.remove(("n", "before"))
    assert store.by_index("colour", "red") == []


def test_removing_what_is_not_there_changes_nothing() -> None:
    store = Store()
    assert store.remove(("n", "a")) is None
    assert dict(store.items) == {}

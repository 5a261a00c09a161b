"""The bounded history, which cannot be reached over HTTP in a test's time."""

from __future__ import annotations

import asyncio

import pytest

from embedded.api.errors import ApiError
from embedded.api.store import HISTORY, Event, Store


def test_a_version_that_history_has_lost_is_410() -> None:
    store = Store()
    things = store.collection("", "things")
    meta = {"name": "a"}
    first = store.put(things, {"metadata": meta}).version
    for _ in range(HISTORY + HISTORY // 2):
        store.put(things, {"metadata": meta})
    with pytest.raises(ApiError) as refused:
        things.since(first)
    assert (refused.value.code, refused.value.reason) == (410, "Expired")
    assert len(list(things.since(store.version - 10))) == 10


def test_the_past_is_rebuilt_from_history() -> None:
    store = Store()
    things = store.collection("", "things")
    kept = store.put(things, {"metadata": {"name": "a"}, "x": 1})
    store.put(things, {"metadata": {"name": "a"}, "x": 2})
    store.put(things, {"metadata": {"name": "b"}})
    store.remove(things, {"metadata": {"name": "a"}})
    assert things.at(kept.version, "") == {("", "a"): kept}
    assert list(things.at(store.version, "")) == [("", "b")]


@pytest.mark.parametrize(("name", "told"), [("a", True), ("b", False)])
def test_only_a_write_that_matters_is_waited_for(name: str, told: bool) -> None:
    assert asyncio.run(heard(1, name, seconds=0.01)) is told


def test_who_waits_hears_of_something_before_history_is_lost() -> None:
    assert asyncio.run(heard(HISTORY // 2, "b", seconds=60))


async def heard(writes: int, name: str, *, seconds: float) -> bool:
    """Return whether who waits for writes of `a` is woken by writes of `name`."""
    store = Store()
    things = store.collection("", "things")

    def matters(event: Event) -> bool:
        return event.now.key == ("", "a")

    waiting = asyncio.create_task(things.changed(matters, seconds))
    await asyncio.sleep(0)
    for _ in range(writes):
        store.put(things, {"metadata": {"name": name}})
    return await waiting

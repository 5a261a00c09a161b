"""The bounded history, which cannot be reached over HTTP in a test's time."""

from __future__ import annotations

import pytest

from embedded.api.errors import ApiError
from embedded.api.store import HISTORY, Store


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

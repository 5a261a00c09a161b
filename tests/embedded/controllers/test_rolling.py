"""The arithmetic of rolling updates."""

from __future__ import annotations

import pytest

from embedded.client import Json
from embedded.controllers.rolling import Limits, Size, limits, new_size, old_sizes
from tests.properties import given
from tests.properties import strategies as st


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "most", "available"),
    [
        (1, "25%", "25%", 2, 1),
        (4, "25%", "25%", 5, 3),
        (10, "25%", "25%", 13, 8),
        (3, 0, 0, 3, 2),
        (3, 2, 0, 5, 3),
        (2, 0, 5, 2, 0),
    ],
)
def test_limits(
    replicas: int, surge: int | str, unavailable: int | str, most: int, available: int
) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    spec: Json = {"replicas": replicas, "strategy": {"rollingUpdate": rolling}}
    bounds = limits(spec)
    assert (bounds.most, bounds.available) == (most, available)


sizes = st.integers(0, 5).flatmap(
    lambda spec: st.builds(Size, spec=st.just(spec), available=st.integers(0, spec))
)
bounds_strategy = st.builds(
    Limits, wanted=st.integers(0, 8), surge=st.integers(0, 4), unavailable=st.integers(1, 4)
)


@given(bounds_strategy, sizes, st.lists(sizes, max_size=3))
def test_growing_never_exceeds_the_most(bounds: Limits, new: Size, old: list[Size]) -> None:
    grown = new_size(bounds, new, old)
    if grown > new.spec:
        assert grown + sum(size.spec for size in old) <= bounds.most
    assert grown <= max(bounds.wanted, new.spec)


@given(bounds_strategy, sizes, st.lists(sizes, max_size=3))
def test_shrinking_never_takes_available_pods_below_the_limit(
    bounds: Limits, new: Size, old: list[Size]
) -> None:
    shrunk = old_sizes(bounds, new, old)
    before = new.available + sum(size.available for size in old)
    # Pods that are not available are the first to go within each ReplicaSet.
    after = new.available + sum(
        min(size.available, left) for size, left in zip(old, shrunk, strict=True)
    )
    assert after >= min(before, bounds.available)
    assert all(left <= size.spec for size, left in zip(old, shrunk, strict=True))


@given(bounds_strategy, st.lists(sizes, min_size=1, max_size=3))
def test_a_rollout_with_ready_pods_always_ends(bounds: Limits, old: list[Size]) -> None:
    new = Size(spec=0, available=0)
    for _ in range(100):
        grown = new_size(bounds, new, old)
        new = Size(spec=grown, available=grown)
        old = [Size(spec=left, available=left) for left in old_sizes(bounds, new, old)]
    assert new.spec == bounds.wanted
    assert sum(size.spec for size in old) == 0

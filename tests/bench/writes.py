"""Writes to the API in a while, by the numbers that it gives them: its resourceVersions.

One counter numbers all writes. How far it went in a window says how many there were, and the
events of a watch of each kind that begins at the window's start say of what.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from fixtures.kube.client import Kube
from fixtures.kube.resources import NAMESPACES, Resource

_AT_A_TIME = 16
_HISTORY_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Writes:
    """The writes of a window, all and by kind; those that no watch showed are of no kind."""

    seconds: float
    count: int
    kinds: Mapping[str, int]

    @property
    def a_minute(self) -> float:
        """All of them, in a minute."""
        return 60 * self.count / self.seconds

    def __str__(self) -> str:
        shown = [f"{count} {kind}" for kind, count in Counter(self.kinds).most_common()]
        other = self.count - sum(self.kinds.values())
        return ", ".join([*shown, *([f"{other} of no kind seen"] if other else [])])


def writes_during(kube: Kube, window: Callable[[], None]) -> Writes:
    """Return the writes while `window` runs."""
    start, began = _version(kube), time.monotonic()
    window()
    end, took = _version(kube), time.monotonic() - began
    return Writes(seconds=took, count=end - start, kinds=_by_kind(kube, start, end))


def _version(kube: Kube) -> int:
    """Return the number of the last write of all, which any list says."""
    return int(kube.list(NAMESPACES).resource_version)


def _by_kind(kube: Kube, start: int, end: int) -> Mapping[str, int]:
    kinds = list(_watched(kube))
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        found = pool.map(partial(_numbers, kube, start), kinds)
    # Some kinds are shown by two groups; the number of a write tells them to be the same.
    by_number = {n: kind.kind for kind, numbers in zip(kinds, found, strict=True) for n in numbers}
    return Counter(kind for number, kind in by_number.items() if start < number <= end)


def _numbers(kube: Kube, start: int, kind: Resource) -> list[int]:
    events = kube.watch(kind, resource_version=str(start), timeout=_HISTORY_SECONDS)
    return [
        int(event.object["metadata"]["resourceVersion"])
        for event in events
        if event.type != "BOOKMARK"
    ]


def _watched(kube: Kube) -> Iterator[Resource]:
    """Every kind that can be watched, in the version that its group prefers."""
    groups = kube.document("/apis")["groups"]
    versions = [group["preferredVersion"]["groupVersion"] for group in groups]
    for api_version in ("v1", *versions):
        group, _, version = api_version.rpartition("/")
        path = f"/apis/{api_version}" if group else f"/api/{version}"
        for entry in kube.document(path)["resources"]:
            if "watch" in entry["verbs"] and "/" not in entry["name"]:
                yield Resource(
                    group=group,
                    version=version,
                    plural=entry["name"],
                    kind=entry["kind"],
                    namespaced=entry["namespaced"],
                )

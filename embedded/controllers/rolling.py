"""The numbers of Pods in a rolling update: arithmetic, without any cluster."""

from __future__ import annotations

import math
from dataclasses import dataclass

from embedded.client import Json


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of a rollout, in Pods: `most` may exist, `available` must be available."""

    wanted: int
    surge: int
    unavailable: int

    @property
    def most(self) -> int:
        """The most Pods that may exist at once."""
        return self.wanted + self.surge

    @property
    def available(self) -> int:
        """The fewest Pods that must be available."""
        return self.wanted - self.unavailable


@dataclass(frozen=True, kw_only=True)
class Size:
    """A ReplicaSet's size: what its spec says, and how many of its Pods are available."""

    spec: int
    available: int


def limits(spec: Json) -> Limits:
    """Read maxSurge and maxUnavailable of a Deployment's spec; both default to 25 %."""
    wanted = int(spec.get("replicas", 1))
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    surge = _share(rolling.get("maxSurge", "25%"), wanted, up=True)
    unavailable = min(_share(rolling.get("maxUnavailable", "25%"), wanted, up=False), wanted)
    # With neither, a rollout could never move.
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Limits(wanted=wanted, surge=surge, unavailable=unavailable)


def new_size(bounds: Limits, new: Size, old: list[Size]) -> int:
    """The size that the newest ReplicaSet may have now."""
    if new.spec >= bounds.wanted:
        return bounds.wanted
    room = bounds.most - new.spec - sum(size.spec for size in old)
    return min(bounds.wanted, new.spec + max(room, 0))


def old_sizes(bounds: Limits, new: Size, old: list[Size]) -> list[int]:
    """The sizes that the older ReplicaSets may have now, oldest first as given.

    Pods that are not available anyway go first; then as many others as availability allows.
    """
    total = new.spec + sum(size.spec for size in old)
    removable = total - bounds.available - max(0, new.spec - new.available)
    sizes = []
    for size in old:
        idle = max(0, min(size.spec - size.available, removable))
        removable -= idle
        sizes.append(size.spec - idle)
    spare = new.available + sum(size.available for size in old) - bounds.available
    spare = min(spare, removable)
    for position, left in enumerate(sizes):
        gone = max(0, min(left, spare))
        spare -= gone
        sizes[position] = left - gone
    return sizes


def _share(value: int | str, wanted: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        return int(value)
    part = int(value.removesuffix("%")) * wanted / 100
    return math.ceil(part) if up else math.floor(part)

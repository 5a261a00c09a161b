"""Moments as Kubernetes' objects have them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache


def now() -> str:
    """The time as `metav1.Time` writes it: UTC, whole seconds."""
    return _second(int(time.time()))


@lru_cache(maxsize=1)
def _second(since_epoch: int) -> str:
    # Asked for many times a second, and slow to write.
    return timestamp(datetime.fromtimestamp(since_epoch, UTC))


def timestamp(moment: datetime) -> str:
    """A moment as `metav1.Time` writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

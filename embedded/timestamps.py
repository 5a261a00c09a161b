"""Moments as Kubernetes' objects have them."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The time as `metav1.Time` writes it: UTC, whole seconds."""
    return timestamp(datetime.now(UTC))


def timestamp(moment: datetime) -> str:
    """A moment as `metav1.Time` writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

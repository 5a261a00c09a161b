"""The columns of `kubectl get`, as a server prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from embedded.api.jsons import Json


@dataclass(frozen=True)
class Column:
    """One column: its head, and how a cell is read from an object."""

    name: str
    cell: Callable[[Json], Any]
    type: str = "string"
    wide: bool = False
    """Only shown with `-o wide`."""
    format: str = ""
    description: str = ""

    def definition(self) -> Json:
        """The `TableColumnDefinition`."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format or ("name" if self.name == "Name" else ""),
            "description": self.description,
            "priority": 1 if self.wide else 0,
        }


UNKNOWN = "<unknown>"


def age(moment: str | None) -> str:
    """Return the age of a `metav1.Time` as kubectl writes it: `42s`, `5m10s`, `3h`, `12d`."""
    if not moment:
        return UNKNOWN
    return duration(int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()))


def duration(seconds: int) -> str:
    """Seconds in at most two units (apimachinery, `duration.HumanDuration`)."""
    seconds = max(seconds, 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 8 * 365 else f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"

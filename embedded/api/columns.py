"""The columns of `kubectl get`, as a server prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

"""Measured figures, and their bounds."""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Statistic = Literal["median", "p99"]
Unit = Literal["s", "ms"]
_PER_SECOND: dict[Unit, float] = {"s": 1.0, "ms": 1000.0}


class BenchError(Exception):
    """Something broke, so that there is no figure; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row. ``samples`` and ``bound`` are in seconds, whatever the unit shown is."""

    name: str
    samples: tuple[float, ...]
    statistic: Statistic = "median"
    unit: Unit = "s"
    bound: float | None = None
    note: str = ""

    @property
    def value(self) -> float:
        """The statistic, in seconds."""
        if self.statistic == "median":
            return statistics.median(self.samples)
        ranked = sorted(self.samples)
        return ranked[math.ceil(0.99 * len(ranked)) - 1]

    @property
    def out_of_bounds(self) -> bool:
        """Return whether the bound is exceeded."""
        return self.bound is not None and self.value > self.bound

    def cells(self) -> tuple[str, ...]:
        """The row as a person reads it."""
        return (
            self.name,
            f"{self._shown(self.value)} {self.unit}",
            "" if self.bound is None else f"≤ {self.bound * _PER_SECOND[self.unit]:g} {self.unit}",
            "OUT OF BOUNDS" if self.out_of_bounds else "",
            f"{self.statistic} of {len(self.samples)}",
            f"{self._shown(min(self.samples))}–{self._shown(max(self.samples))}",
            self.note,
        )

    def _shown(self, seconds: float) -> str:
        return f"{seconds * _PER_SECOND[self.unit]:.{2 if self.unit == 's' else 1}f}"


_HEAD = ("figure", "value", "bound", "", "statistic", "range", "")


def table(figures: Sequence[Figure]) -> str:
    """All rows, in columns."""
    rows = [_HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def write(figures: Sequence[Figure], file: Path) -> None:
    """The same as JSON: all samples, in seconds, and what machine it was."""
    machine = {"cpus": os.cpu_count(), "linux": os.uname().release, "load": os.getloadavg()[0]}
    rows = [
        {**asdict(figure), "value": figure.value, "out_of_bounds": figure.out_of_bounds}
        for figure in figures
    ]
    text = json.dumps({"machine": machine, "figures": rows}, indent=1)
    file.write_text(f"{text}\n", encoding="utf-8")

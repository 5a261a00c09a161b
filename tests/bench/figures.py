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
Unit = Literal["s", "ms", "µs", "MiB", "/min", "×"]
_TIMES: dict[Unit, float] = {"ms": 1e3, "µs": 1e6}
_DIGITS: dict[Unit, int] = {"s": 2, "ms": 1, "µs": 0, "MiB": 0, "/min": 0, "×": 2}


class BenchError(Exception):
    """Something broke, so that there is no figure; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row. ``samples`` and ``bound`` of time are in seconds, others in their unit."""

    name: str
    samples: tuple[float, ...]
    statistic: Statistic = "median"
    unit: Unit = "s"
    bound: float | None = None
    note: str = ""

    @property
    def value(self) -> float:
        """The statistic, as the samples are."""
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
            "" if self.bound is None else f"≤ {self._bound_shown(self.bound)} {self.unit}",
            "OUT OF BOUNDS" if self.out_of_bounds else "",
            f"{self.statistic} of {len(self.samples)}",
            f"{self._shown(min(self.samples))}–{self._shown(max(self.samples))}",
            self.note,
        )

    def _shown(self, value: float) -> str:
        return f"{value * _TIMES.get(self.unit, 1.0):.{_DIGITS[self.unit]}f}"

    def _bound_shown(self, bound: float) -> str:
        return self._shown(bound) if self.unit == "µs" else f"{bound * _TIMES.get(self.unit, 1):g}"


_HEAD = ("figure", "value", "bound", "", "statistic", "range", "")


def table(figures: Sequence[Figure]) -> str:
    """All rows, in columns."""
    rows = [_HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def write(figures: Sequence[Figure], file: Path) -> None:
    """The same as JSON: all samples, those of time in seconds, and what machine it was."""
    machine = {"cpus": os.cpu_count(), "linux": os.uname().release, "load": os.getloadavg()[0]}
    rows = [
        {**asdict(figure), "value": figure.value, "out_of_bounds": figure.out_of_bounds}
        for figure in figures
    ]
    text = json.dumps({"machine": machine, "figures": rows}, indent=1)
    file.write_text(f"{text}\n", encoding="utf-8")

"""The table says what was measured, and marks what is out of bounds."""

import json
from pathlib import Path

from tests.bench.figures import Figure, table, write

QUICK = Figure(name="quick", samples=(0.3, 0.1, 0.2), bound=0.2)
SLOW = Figure(name="slow", samples=tuple(n / 1000 for n in range(200)), statistic="p99", unit="ms")


def test_value_is_median_or_percentile() -> None:
    assert QUICK.value == 0.2
    assert SLOW.value == 0.197


def test_only_what_exceeds_its_bound_is_marked() -> None:
    beyond = Figure(name="beyond", samples=(0.3,), bound=0.2)
    quick, slow, marked = table([QUICK, SLOW, beyond]).splitlines()[1:]
    assert "OUT OF BOUNDS" in marked
    assert "OUT OF BOUNDS" not in quick + slow
    assert "197.0 ms" in slow


def test_file_holds_all_samples_in_seconds(tmp_path: Path) -> None:
    write([QUICK, SLOW], tmp_path / "bench.json")
    found = json.loads((tmp_path / "bench.json").read_text())
    assert [row["name"] for row in found["figures"]] == ["quick", "slow"]
    assert found["figures"][0]["samples"] == [0.3, 0.1, 0.2]
    assert found["machine"]["cpus"]


def test_units_other_than_of_time_are_shown_as_they_are() -> None:
    ratio = Figure(name="ratio", samples=(1.25,), unit="×", bound=1.3)
    writes = Figure(name="writes", samples=(38.4,), unit="/min", bound=45)
    request = Figure(name="request", samples=(0.00021,), unit="µs", bound=0.0012)
    shown = [" ".join(line.split()) for line in table([ratio, writes, request]).splitlines()[1:]]
    expected = ("ratio 1.25 × ≤ 1.3 × ", "writes 38 /min ≤ 45 /min ", "request 210 µs ≤ 1200 µs ")
    for line, start in zip(shown, expected, strict=True):
        assert line.startswith(start)
    assert "OUT" not in "".join(shown)

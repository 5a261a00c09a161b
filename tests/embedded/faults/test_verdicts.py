"""run.json is all that is known of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedded.faults.verdicts import Verdict, read


def test_verdicts_and_their_reasons_are_read(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    breach = {"where": "Pod a", "promised": "b", "seen": "c"}
    rows = [
        {"id": "A-1", "verdict": "failed", "reason": "", "checks": [{"differences": [breach]}]},
        {"id": "A-2", "verdict": "error", "reason": "it broke\nlog", "checks": []},
    ]
    file.write_text(json.dumps({"requirements": rows, "breakdowns": [{"text": "the disk"}]}))
    found = read(file)
    assert found.of("A-1") == Verdict(verdict="failed", why="Pod a: c")
    assert found.of("A-2") == Verdict(verdict="error", why="it broke")
    assert found.of("A-3").verdict == "not-tested"
    assert found.breakdowns == ("the disk",)


@pytest.mark.parametrize("text", ["", "[]", "{}"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    with pytest.raises(ValueError):
        read(file)

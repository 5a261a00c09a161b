"""run.json, as the verifier writes it, is all that is known of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from faultmatrix.verdicts import Findings, Verdict, read
from reports import run_json
from reports.journal import Journal
from reports.verdicts import judge
from tests.reports.examples import (
    PLAINTEXT,
    broke,
    finished,
    header,
    journal,
    selected,
)


def found(tmp_path: Path, written: Journal) -> Findings:
    file = tmp_path / "run.json"
    file.write_text(run_json.render(judge(written)))
    return read(file)


def test_verdicts_and_their_reasons_are_read(tmp_path: Path) -> None:
    rows = [selected(id_, id_.lower()) for id_ in ("A-1", "A-2", "A-3")]
    seen = found(
        tmp_path,
        journal(
            header(*rows),
            finished("a-1"),
            finished("a-2", "failed", PLAINTEXT),
            finished("a-3", "error", text="it broke\nlog"),
        ),
    )
    assert seen.of("A-1") == Verdict(verdict="passed")
    assert seen.of("A-2") == Verdict(verdict="failed", why=f"{PLAINTEXT.where}: {PLAINTEXT.seen}")
    assert seen.of("A-3") == Verdict(verdict="error", why="it broke")
    assert seen.of("A-4") == Verdict(verdict="not-tested")
    assert seen.breakdowns == ()


def test_what_broke_is_read(tmp_path: Path) -> None:
    assert found(tmp_path, journal(header(), broke("the disk is full"))).breakdowns == (
        "the disk is full",
    )


@pytest.mark.parametrize("text", ["", "[]", "{}"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"not a run\.json|Expecting value"):
        read(file)

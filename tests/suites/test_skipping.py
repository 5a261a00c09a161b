"""`--skip ID=REASON`: what is left out on request, and how that is said."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.suites.example import BROKEN, KEPT, Example

SHARED = '''
@requirement("AUTO-2a", "AUTO-2b")
def test_shared():
    """Decides two."""
'''


def test_what_is_skipped_is_not_run_and_has_its_reason_everywhere(tmp_path: Path) -> None:
    example = Example.make(tmp_path, KEPT + BROKEN)
    ended = example.run("--skip", "conn-1=no PgBouncer, and none needed", "--skip", "CONN-2=x = y")
    assert ended.code == 0, ended.out + ended.err
    assert ended.verdicts["CONN-1"] == ended.verdicts["CONN-2"] == "skipped"
    rows = {row["id"]: row for row in ended.run["requirements"]}
    assert rows["CONN-1"]["reason"] == "no PgBouncer, and none needed"
    assert rows["CONN-2"]["reason"] == "x = y"
    assert rows["CONN-1"]["checks"][0]["outcome"] == "not-run"
    assert "CONN-1  SKIPPED" in ended.out
    assert "because   no PgBouncer, and none needed" in ended.out
    assert "2 skipped" in ended.run["statement"][0]
    assert ended.run["result"] == "partial"
    assert not ended.run["certifies"]
    root = ET.parse(tmp_path / "report/junit.xml").getroot()
    reasons = {
        (case.get("name") or "").split()[0]: one.get("message")
        for case in root.iter("testcase")
        for one in case.iter("skipped")
        if one.get("type") == "skipped"
    }
    assert reasons == {"CONN-1": "no PgBouncer, and none needed", "CONN-2": "x = y"}
    lines = (tmp_path / "report/journal.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert {one["check"] for one in events if one["event"] == "check-started"} == {
        "checks/test_example.py::test_kept"
    }


def test_a_skipped_must_is_not_certified(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, KEPT + BROKEN).run("--certify", "--skip", "CONN-1=x")
    assert ended.code == 6
    assert "does not certify: the result is partial" in ended.out


def test_a_check_of_two_requirements_still_decides_the_other(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, SHARED).run("-k", "shared", "--skip", "AUTO-2a=x")
    assert ended.verdicts == {"AUTO-2a": "skipped", "AUTO-2b": "passed"}


def test_what_leaves_nothing_starts_nothing(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, KEPT).run("--requirement", "AUTO-1", "--skip", "AUTO-1=x")
    assert (ended.code, ended.platform) == (5, [])
    assert ended.out.splitlines()[-1] == "nothing selected: AUTO-1 left out by --skip."


def test_it_can_stand_in_the_file_and_the_environment(tmp_path: Path) -> None:
    example = Example.make(tmp_path, KEPT + BROKEN)
    ended = example.run(env={"PGTLS_SKIP": "CONN-1=one\nCONN-2=two\n"})
    assert (ended.verdicts["CONN-1"], ended.verdicts["CONN-2"]) == ("skipped", "skipped")
    for text in ('skip = { CONN-1 = "a, b" }', '[skip]\nCONN-1 = "a, b"', 'skip = ["CONN-1=a, b"]'):
        (tmp_path / "conformance.toml").write_text(text)
        rows = example.run("-k", "kept or broken").run["requirements"]
        assert [row["reason"] for row in rows if row["id"] == "CONN-1"] == ["a, b"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--skip", "CONN-99=x"], "--skip: unknown requirement 'CONN-99'"),
        (["--skip", "CONN=x"], "--skip: unknown requirement 'CONN'"),
        (["--skip", "CONN-1"], "--skip: 'CONN-1' has no reason; write ID=REASON."),
        (["--skip", "CONN-1="], "--skip: 'CONN-1' has no reason; write ID=REASON."),
        (["--skip", "CONN-1= "], "--skip: 'CONN-1' has no reason; write ID=REASON."),
        (["--skip", "=x"], "--skip: 'x' has no name; write ID=REASON."),
        (["--skip", ""], "--skip: is empty; give ID=REASON, or leave it out."),
        (["--skip", "CONN-1=a", "--skip", "CONN-1=b"], "--skip: CONN-1 is there twice"),
        (["--skip", "CONN-1=a", "--skip", "conn-1=b"], "--skip: CONN-1 is there twice"),
    ],
)
def test_wrong_use_is_one_line_and_starts_nothing(
    tmp_path: Path, words: list[str], said: str
) -> None:
    ended = Example.make(tmp_path, KEPT).run(*words)
    assert (ended.code, ended.platform) == (4, [])
    assert ended.err.strip().startswith(f"ERROR: {said}")
    assert len(ended.err.strip().splitlines()) == 1

"""The report of an older run goes as a whole, or it is said that it has not gone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.run.evidence import Evidence
from suites.plugin.reportdir import clear_older, locked
from tests.suites.example import KEPT, ROOT, Example

OLDER = ("journal.jsonl", "run.json", "junit.xml", "evidence/scenario-auto/pods.json")


def _older(report: Path) -> None:
    for name in OLDER:
        (report / name).parent.mkdir(parents=True, exist_ok=True)
        (report / name).write_text("of the run before")


def _left(report: Path) -> list[str]:
    return sorted(str(p.relative_to(report)) for p in report.rglob("*") if not p.is_dir())


def test_evidence_that_this_run_has_written_stays_whatever_its_time(tmp_path: Path) -> None:
    _older(tmp_path)
    evidence = Evidence(tmp_path / "evidence")
    path = tmp_path / "evidence" / evidence.text("scenario-auto", "images.txt", "of this run")
    os.utime(path, (0, 0))
    clear_older(tmp_path, evidence.written)
    assert _left(tmp_path) == ["evidence/scenario-auto/images.txt"]


def test_evidence_of_an_older_run_goes_whatever_its_time(tmp_path: Path) -> None:
    _older(tmp_path)
    later = 4_000_000_000
    os.utime(tmp_path / OLDER[-1], (later, later))
    clear_older(tmp_path, Evidence(tmp_path / "evidence").written)
    assert _left(tmp_path) == []


def test_a_second_run_into_the_directory_of_one_that_goes_on_is_refused(tmp_path: Path) -> None:
    report = tmp_path / "report"
    example = Example.make(tmp_path, KEPT)
    with locked(report, "--report-dir"):
        _older(report)
        ended = example.run()
    assert ended.code == 4
    assert ended.err.strip() == (
        f"ERROR: --report-dir: another run writes to {report}; wait for its end, or choose another."
    )
    assert ended.out.strip() == ""
    assert ended.platform == []
    assert _left(report) == sorted(OLDER)
    assert example.run("--requirement", "AUTO-1").code == 0


HOLDS = """
import pathlib, sys
from suites.plugin.reportdir import locked
with locked(pathlib.Path(sys.argv[1]), "--report-dir"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_that_was_killed_keeps_nobody_out(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path / "report")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == b"held\n"
        process.kill()
    with locked(tmp_path / "report", "--report-dir"):
        pass


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("/", "is the root of the file system"),
        ("/etc", "belongs to the system"),
        ("/usr/share/report", "belongs to the system"),
        ("~", "is your home"),
        (str(ROOT), "holds the suite itself"),
        (str(ROOT.parent), "holds the suite itself"),
        (str(ROOT / "suites"), "holds .*, which is of no report"),
        ("checks", "holds test_example.py, which is of no report"),
        ("link", "is the root of the file system"),
    ],
)
def test_a_directory_that_is_there_for_something_else_is_refused(
    tmp_path: Path, place: str, why: str
) -> None:
    example = Example.make(tmp_path, KEPT)
    (tmp_path / "link").symlink_to("/")
    (tmp_path / "home").mkdir()
    ended = example.run(f"--report-dir={place}", env={"HOME": str(tmp_path / "home")})
    assert ended.code == 4, ended.out + ended.err
    (line,) = ended.err.strip().splitlines()
    assert re.fullmatch(f"ERROR: --report-dir: /.* {why}; name a new or empty directory.*", line)
    assert ended.platform == []
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("left", ["lost+found/x", "evidence/scenario-auto/pods.json", "run.json"])
def test_an_empty_directory_and_what_a_killed_run_left_are_taken(tmp_path: Path, left: str) -> None:
    example = Example.make(tmp_path, KEPT)
    (tmp_path / "report" / left).parent.mkdir(parents=True)
    (tmp_path / "report" / left).write_text("{}")
    assert example.run("--requirement", "AUTO-1").code == 0


def test_a_relative_directory_is_relative_to_where_it_was_typed(tmp_path: Path) -> None:
    """Tox and bootstrap change the folder; they say where they were called."""
    example = Example.make(tmp_path, KEPT)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    called_from = {"PGTLS_CALLED_FROM": str(elsewhere)}
    ended = example.run("--requirement", "AUTO-1", "--report-dir", "mine", env=called_from)
    assert ended.code == 0, ended.out + ended.err
    assert (elsewhere / "mine/run.json").is_file()
    assert example.run("--requirement", "AUTO-1", env=called_from).code == 0
    assert (tmp_path / "report/run.json").is_file(), "the default is where it always is"


def test_a_directory_that_nothing_was_written_to_goes_again(tmp_path: Path) -> None:
    with locked(tmp_path / "a/b", "--report-dir"):
        assert (tmp_path / "a/b").is_dir()
    assert _left(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_an_older_report_that_cannot_be_removed_is_said(tmp_path: Path) -> None:
    """A directory in the place of a file is what root cannot remove as one, either."""
    example = Example.make(tmp_path, KEPT)
    _older(tmp_path / "report")
    (tmp_path / "report/junit.xml").unlink()
    (tmp_path / "report/junit.xml").mkdir()
    ended = example.run("--requirement", "AUTO-1")
    assert ended.code == 3
    assert "the report could not be written: " in ended.out
    assert "report/junit.xml" in ended.out
    assert "junit.xml.new" not in ended.out
    assert "passed of the selection" in ended.out
    assert '"check-finished"' in (tmp_path / "report/journal.jsonl").read_text()


def test_what_cannot_be_removed_leaves_the_journal_that_marks_it_as_ours(tmp_path: Path) -> None:
    _older(tmp_path)
    (tmp_path / "run.json").unlink()
    (tmp_path / "run.json").mkdir()
    with pytest.raises(OSError, match=r"run\.json"):
        clear_older(tmp_path, frozenset())
    assert "journal.jsonl" in _left(tmp_path)

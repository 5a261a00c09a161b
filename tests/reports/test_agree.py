"""Runs of the same thing must come to the same verdicts."""

import re
import subprocess
import sys
from pathlib import Path

from reports.renderers import run_json
from reports.verdicts import judge
from tests.reports import examples as ex


def report(directory: Path, outcome: str) -> str:
    first = ex.header(ex.selected("AUTO-1", "a"), ex.selected("AUTO-2a", "b"))
    made = ex.journal(first, ex.finished("a"), ex.finished("b", outcome))  # type: ignore[arg-type]
    directory.mkdir()
    (directory / "run.json").write_text(run_json.render(judge(made)))
    return str(directory)


def agree(*directories: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reports.agree", *directories],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_equal_runs_agree(tmp_path: Path) -> None:
    ended = agree(report(tmp_path / "1", "passed"), report(tmp_path / "2", "passed"))
    assert ended.returncode == 0
    assert "2 runs, 2 requirements, 0 with verdicts that differ" in ended.stdout


def test_a_verdict_that_differs_is_named_with_all_its_verdicts(tmp_path: Path) -> None:
    outcomes = ("passed", "error", "passed")
    ended = agree(*(report(tmp_path / str(n), o) for n, o in enumerate(outcomes)))
    assert ended.returncode == 1
    assert "AUTO-2a: passed, error, passed" in ended.stdout
    assert "AUTO-1" not in ended.stdout


def test_what_is_no_report_is_wrong_use_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text('{"result": "passed"}')
    for name in ("bad", "none"):
        ended = agree(report(tmp_path / f"good-{name}", "passed"), str(tmp_path / name))
        assert ended.returncode == 4
        assert len(ended.stderr.splitlines()) == 1
        assert name in ended.stderr
        assert "Errno" not in ended.stderr
        assert re.search(r"give the report|make it anew", ended.stderr)

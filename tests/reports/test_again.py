"""A report can be made again from the journal, also of a run that was killed."""

import json
import subprocess
import sys
from pathlib import Path

from reports.journal import JournalWriter
from tests.reports import examples as ex


def say_again(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reports", str(directory)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_killed_run_is_said_to_be_cut_off(tmp_path: Path) -> None:
    first = ex.header(ex.selected("AUTO-1", "a"), ex.selected("AUTO-2a", "b"))
    with JournalWriter(tmp_path / "journal.jsonl", first) as writer:
        for event in ex.finished("a"):
            writer.write(event)
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"event": "check-fini')
    ended = say_again(tmp_path)
    assert ended.returncode == 2
    assert "cut off: the run was killed" in ended.stdout
    run = json.loads((tmp_path / "run.json").read_text())
    assert (run["cut_off"], run["finished"]) == (True, None)
    assert (tmp_path / "junit.xml").exists()


def test_a_reader_that_has_enough_ends_nothing_in_an_error(tmp_path: Path) -> None:
    first = ex.header(*(ex.selected(f"AUTO-{n}", f"a{n}") for n in range(3000)))
    with JournalWriter(tmp_path / "journal.jsonl", first):
        pass
    command = f"{sys.executable} -m reports {tmp_path} | head -n 1; echo ${{PIPESTATUS[0]}}"
    agree = f"{sys.executable} -m reports.agree {tmp_path} {tmp_path} | head -n 1; echo $PIPESTATUS"
    for again in (command, agree):
        ended = subprocess.run(
            ["bash", "-c", again],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.stderr == ""
        assert ended.stdout.splitlines()[-1] in {"0", "2"}, "the run's exit code, or that of agree"
    assert (tmp_path / "run.json").exists()


def test_without_a_journal_it_is_wrong_use_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text("{}\n")
    for directory in (tmp_path, tmp_path / "none"):
        ended = say_again(directory)
        assert ended.returncode == 4
        assert len(ended.stderr.splitlines()) == 1
        assert str(directory) in ended.stderr


def test_where_there_is_no_journal_it_is_said_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    output = say_again(tmp_path).stderr
    assert (
        output == f"{tmp_path}/journal.jsonl: cannot be read: Is a directory; give one that can.\n"
    )
    output = say_again(tmp_path / "none").stderr
    missing = f"{tmp_path}/none/journal.jsonl"
    assert output == f"{missing}: is not there; give the report directory of a run.\n"

"""A report of another form takes one new file in `reports/renderers` and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reports import renderers
from reports.journal import JournalWriter
from tests.reports import examples as ex

VERDICTS = '''
"""verdicts.csv: a line for each requirement."""

from reports.run import Run

FILE = "verdicts.csv"


def render(run: Run) -> str:
    return "".join(f"{row.id},{row.verdict}\\n" for row in run.requirements)
'''


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the package `reports`, in which files can be added."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(renderers.__file__).parents[1], tmp_path / "reports", ignore=ignored)
    return tmp_path


def render(tree: Path) -> subprocess.CompletedProcess[str]:
    directory = tree / "run"
    directory.mkdir()
    with JournalWriter(directory / "journal.jsonl", ex.header(ex.selected("AUTO-1", "a"))) as made:
        for event in ex.finished("a"):
            made.write(event)
    return subprocess.run(
        [sys.executable, "-m", "reports", str(directory)],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_files_of_a_report_are_those_of_its_renderers() -> None:
    assert renderers.files() == ("junit.xml", "run.json")


def test_a_new_module_is_a_new_file_of_the_report(tree: Path) -> None:
    (tree / "reports/renderers/verdicts.py").write_text(VERDICTS)
    render(tree)
    assert (tree / "run/verdicts.csv").read_text() == "AUTO-1,passed\n"
    assert (tree / "run/run.json").exists()


def test_two_renderers_of_one_file_are_refused(tree: Path) -> None:
    (tree / "reports/renderers/more.py").write_text(VERDICTS.replace("verdicts.csv", "run.json"))
    assert "two renderers of one file" in render(tree).stderr

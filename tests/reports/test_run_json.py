"""run.json is read back as the model that it was written from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.renderers import run_json
from reports.verdicts import judge
from tests.reports.examples import broke, finished, header, journal, selected


def test_what_was_written_is_read(tmp_path: Path) -> None:
    run = judge(journal(header(selected("A-1", "a-1")), finished("a-1"), broke("the disk is full")))
    file = tmp_path / "run.json"
    file.write_text(run_json.render(run))
    assert run_json.read(file) == run


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"run": "c0ffee"}'])
def test_another_file_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"run\.json: not a run\.json of this suite: ") as refused:
        run_json.read(file)
    assert "\n" not in str(refused.value)


def test_a_report_of_the_first_form_is_read(tmp_path: Path) -> None:
    """Times were seconds, and the suite was named by its version alone."""
    run = judge(journal(header(selected("A-1", "a-1")), finished("a-1")))
    document = json.loads(run_json.render(run))
    for later in ("suite", "command", "statement", "deviations", "unshown_findings", "notices"):
        del document[later]
    file = tmp_path / "run.json"
    file.write_text(json.dumps(document | {"schema_version": 1, "started": 1.5, "finished": 2}))
    found = run_json.read(file)
    assert (found.started, found.finished, found.suite) == (1.5, 2.0, None)

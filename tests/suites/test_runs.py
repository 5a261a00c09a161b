"""Whole runs of made-up checks, as a user gets them: what is selected, shown and left."""

import re
from pathlib import Path

import pytest

from tests.suites.example import BROKEN, ERROR, KEPT, Example

SAYS_PROGRESS = """
from fixtures.run.hooks import RECORDER

@requirement("AUTO-1")
def test_says(request):
    '''Kept.'''
    request.config.stash[RECORDER].progress("unheard")
"""


def test_a_kept_promise_passes_and_the_rest_is_said_to_be_untested(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, KEPT).run()
    assert ended.code == 0, ended.err
    assert ended.out.startswith("platform claimed (no cluster at all), subject some operator 2.8.0")
    untested = list(ended.verdicts.values()).count("not-tested")
    assert f"partial, certifies nothing: {untested} not tested\n" in ended.out
    assert f"report: {tmp_path}/report" in ended.out
    assert ended.verdicts["AUTO-1"] == "passed"
    assert ended.verdicts["AUTO-2a"] == "not-tested"
    assert ended.verdicts["CM-1a"] == "not-applicable"
    assert ended.run["result"] == "partial"
    assert ended.platform == ["up", "down"]
    assert ended.err == ""


def test_half_of_a_requirements_checks_make_no_verdict(tmp_path: Path) -> None:
    text = KEPT + KEPT.replace("test_kept", "test_other")
    ended = Example.make(tmp_path, text).run("-k", "other")
    assert ended.verdicts == {"AUTO-1": "not-tested"}
    assert "1 not tested of the selection" in ended.out


def test_a_level_follows_the_subjects_version(tmp_path: Path) -> None:
    text = BROKEN.replace("CONN-1", "REPL-7")
    assert Example.make(tmp_path, text, version="3.1.0").run().code == 1


def test_a_finding_is_shown_and_decides_nothing(tmp_path: Path) -> None:
    text = (
        KEPT
        + '''
@finding("FINDING-1")
def test_page(findings):
    """The page's path is refused."""
    findings.shown("FINDING-1", where="apply", seen="unknown field spec.customTLSSecret")
'''
    )
    ended = Example.make(tmp_path, text).run()
    assert ended.code == 0
    assert ended.run["findings"][0]["id"] == "FINDING-1"
    assert "FINDING-1  FINDING about the documentation" in ended.out


def test_the_reference_operator_certifies_nothing_wherever_it_passes(tmp_path: Path) -> None:
    example = Example.make(tmp_path, KEPT, name="reference operator", reference=True)
    assert "(reference run, certifies nothing)" in example.run().out
    chosen = example.run("--requirement", "AUTO-1")
    assert "passed of the selection (reference run, certifies nothing)" in chosen.out
    certify = example.run("--requirement", "AUTO-1", "--certify")
    assert certify.code == 6
    assert "does not certify: the subject is the reference operator" in certify.out


def test_a_log_shows_why_it_takes_long_and_the_heading_stays_the_first_line(tmp_path: Path) -> None:
    """Off the terminal, progress before the heading goes to standard error."""
    start = """
    from fixtures.run.hooks import RECORDER
    config.stash[RECORDER].progress("images: making \\x1b[2Jone")"""
    ended = Example.make(tmp_path, SAYS_PROGRESS, start=start).run()
    assert ended.out.startswith("platform claimed (no cluster at all), subject some operator")
    assert re.fullmatch(r"\d\d:\d\d:\d\d images: making \\x1b\[2Jone \(0 s\)\n", ended.err)
    assert "unheard" not in ended.out


def test_chapters_and_requirements_select_and_what_is_not_selected_is_not_listed(
    tmp_path: Path,
) -> None:
    example = Example.make(tmp_path, KEPT + BROKEN)
    assert set(example.run("--requirement", "AUTO-1,AUTO-2a").verdicts) == {"AUTO-1", "AUTO-2a"}
    chapter = example.run("--chapter", "conn")
    assert {id_.partition("-")[0] for id_ in chapter.verdicts} == {"CONN"}
    assert chapter.code == 1
    assert example.run("-k", "kept").verdicts == {"AUTO-1": "passed"}
    assert example.run("checks/test_example.py::test_kept").verdicts == {"AUTO-1": "passed"}


def test_nothing_selected_is_never_green_and_starts_nothing(tmp_path: Path) -> None:
    example = Example.make(tmp_path, KEPT)
    for arguments, why in (
        (["-k", "nothing"], "no check is left; --list shows what there is."),
        (["--requirement", "FIN-1a"], "FIN-1a has no check yet."),
        (["--requirement", "FIN-1a,CM-1a"], "FIN-1a, CM-1a have no check yet."),
        (
            ["--requirement", "FIN-1a,AUTO-1", "-k", "nothing"],
            "FIN-1a has no check yet; AUTO-1 has checks, but -k, -m or what was named leaves them"
            " out.",
        ),
    ):
        ended = example.run(*arguments)
        assert ended.code == 5
        assert ended.out.splitlines()[-1] == f"nothing selected: {why}"
        assert ended.platform == []
        assert not (tmp_path / "report").exists()


def test_only_what_is_not_applicable_is_never_green(tmp_path: Path) -> None:
    text = KEPT.replace("AUTO-1", "CONN-11")
    ended = Example.make(tmp_path, text).run("--requirement", "CONN-11")
    assert ended.code == 5
    assert ended.verdicts == {"CONN-11": "not-applicable"}


@pytest.mark.parametrize(("since", "verdict"), [("2.2", "failed"), ("99.0", "passed")])
def test_a_check_of_newer_operators_is_left_out(tmp_path: Path, since: str, verdict: str) -> None:
    later = BROKEN.replace('"CONN-1"', f'"AUTO-1", since="{since}"')
    ended = Example.make(tmp_path, KEPT + later).run("--requirement", "AUTO-1")
    assert ended.verdicts == {"AUTO-1": verdict}


def test_the_order_of_checks_changes_no_verdict(tmp_path: Path) -> None:
    example = Example.make(tmp_path, KEPT + BROKEN + ERROR)
    forwards = example.run()
    reverse = "def pytest_collection_modifyitems(items):\n    items.reverse()\n"
    (tmp_path / "checks/conftest.py").write_text(reverse)
    backwards = example.run()
    assert (forwards.code, forwards.verdicts) == (backwards.code, backwards.verdicts)


def test_an_older_report_is_replaced_and_nothing_else_is_touched(tmp_path: Path) -> None:
    example = Example.make(tmp_path, KEPT + BROKEN)
    example.run()
    (tmp_path / "report/mine.txt").write_text("keep")
    ended = example.run("--requirement", "AUTO-1")
    assert ended.verdicts == {"AUTO-1": "passed"}
    left = sorted(p.name for p in (tmp_path / "report").rglob("*") if p.is_file())
    assert left == ["journal.jsonl", "junit.xml", "mine.txt", "run.json"]


def test_evidence_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "report/evidence/precious.txt"
    other.parent.mkdir(parents=True)
    other.write_text("keep")
    Example.make(tmp_path, KEPT).run()
    assert other.read_text() == "keep"

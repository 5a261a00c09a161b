"""Whole runs of made-up checks: verdicts, reports and exit codes, as a user gets them."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reports import run_json
from tests.suites.example import Example, Outcome

KEPT = '''
@requirement("AUTO-1")
def test_kept():
    """Kept."""
'''
BROKEN = '''
@requirement("CONN-1")
def test_broken(each, evidence):
    """Broken at one of three."""
    for pod in ("a", "b", "c"):
        with each(pod):
            evidence.text(f"{pod}.txt", "seen " + pod)
            expect(pod != "b", where=f"Pod {pod}", promised="TLS", seen="plain", look_at="line 9")
'''
ERROR = '''
@requirement("CONN-2")
def test_error():
    """Cannot be said."""
    raise OSError("no route to host")
'''


REST = '''
@pytest.fixture
def cluster():
    assert False, "not up"

@pytest.fixture
def stuck():
    yield
    raise OSError("stuck")

@requirement("REPL-1")
def test_on_it(cluster):
    """Never reached."""

@requirement("REPL-2")
def test_then_stuck(stuck):
    """Passes, then cannot be cleared up."""

@requirement("REPL-3")
def test_blocked():
    """Stands on something."""
    raise Blocked("the cluster never became ready")

@requirement("REPL-4")
def test_skipped():
    """Not wanted."""
    pytest.skip("the user asked for it")

@requirement("REPL-5")
def test_good_half():
    """Kept."""

@requirement("REPL-5")
def test_bad_half():
    """Broken."""
    raise Breach(where="there", promised="a", seen="b")

@requirement("REPL-6")
def test_breach_then_error(each):
    """Broken, and then the network goes."""
    with each("a"):
        raise Breach(where="a", promised="a", seen="b")
    raise OSError("gone")

@requirement("ROOTCA-1")
def test_error_then_breach(each):
    """The first element cannot be known, the second is broken."""
    with each("a"):
        raise OSError("gone")
    with each("b"):
        raise Breach(where="b", promised="a", seen="b")

@requirement("ROOTCA-2a")
def test_error_then_kept(each):
    """The first element cannot be known, the second is kept."""
    with each("a"):
        raise OSError("a is gone")
    with each("b"):
        pass

@requirement("CUSTOM-1")
def test_nothing(each):
    """Looks at nothing."""

@requirement("CUSTOM-2a")
def test_bare():
    """Two and two make four.

    Broken otherwise.
    """
    assert 2 + 2 == 5

@requirement("CONN-11")
def test_newer():
    """Not for this version."""
    raise Breach(where="never", promised="a", seen="b")

@requirement("REPL-7")
def test_may():
    """Informs."""
    raise Breach(where="there", promised="a", seen="b")

@requirement("CUSTOM-2b")
def test_steers():
    """Sends what steers a terminal."""
    raise Breach(where="there", promised="a", seen="\\x1b[2Jgone\\u202e\\udce9")
'''


SAYS_PROGRESS = """
from fixtures.run.hooks import RECORDER

@requirement("AUTO-1")
def test_says(request):
    '''Kept.'''
    request.config.stash[RECORDER].progress("unheard")
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """One run with a check for each way of ending."""
    directory = tmp_path_factory.mktemp("mixed")
    return Example.make(directory, KEPT + BROKEN + ERROR + REST).run()


def check(ended: Outcome, id_: str) -> dict[str, Any]:
    row = next(row for row in ended.run["requirements"] if row["id"] == id_)
    found: dict[str, Any] = row["checks"][0]
    return found


def block(ended: Outcome, id_: str) -> str:
    """What the terminal says of one requirement."""
    return ended.out[ended.out.index(f"\n{id_}  ") :].split("\n\n")[0]


def test_a_kept_promise_passes_and_the_rest_is_said_to_be_untested(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, KEPT).run()
    assert ended.code == 0, ended.err
    assert ended.out.startswith("platform claimed (no cluster at all), subject some operator 2.8.0")
    assert "partial, certifies nothing: 138 not tested\n" in ended.out
    assert f"report: {tmp_path}/report" in ended.out
    assert ended.verdicts["AUTO-1"] == "passed"
    assert ended.verdicts["AUTO-2a"] == "not-tested"
    assert ended.verdicts["CM-1a"] == "not-applicable"
    assert ended.run["result"] == "partial"
    assert ended.platform == ["up", "down"]
    assert ended.err == ""


def test_a_breach_fails_the_run_whatever_else_happened(mixed: Outcome) -> None:
    assert mixed.code == 1
    assert mixed.run["result"] == "failed"
    assert mixed.out.index("\nCONN-1  FAILED") < mixed.out.index("\nCONN-2  ERROR")


@pytest.mark.parametrize(
    ("id_", "verdict"),
    {
        "AUTO-1": "passed",
        "CONN-1": "failed",
        "CONN-2": "error",
        "REPL-1": "error",
        "REPL-2": "error",
        "REPL-3": "blocked",
        "REPL-4": "skipped",
        "REPL-5": "failed",
        "REPL-6": "failed",
        "REPL-7": "failed",
        "ROOTCA-1": "failed",
        "ROOTCA-2a": "error",
        "CUSTOM-1": "error",
        "CUSTOM-2a": "failed",
        "CONN-11": "not-applicable",
        "CONN-12a": "not-applicable",
        "FIN-1a": "not-tested",
    }.items(),
)
def test_every_way_of_ending_has_its_verdict(mixed: Outcome, id_: str, verdict: str) -> None:
    assert mixed.verdicts[id_] == verdict


@pytest.mark.parametrize(
    ("id_", "reason"),
    {
        "CONN-2": "because   OSError: no route to host (test_example.py:",
        "REPL-1": "because   while preparing, AssertionError: not up",
        "REPL-2": "because   while clearing up, OSError: stuck",
        "REPL-3": "because   the cluster never became ready",
        "REPL-4": "because   the user asked for it",
        "REPL-7": "(MAY: informs, fails nothing)",
        "ROOTCA-2a": "because   OSError: a is gone (test_example.py:",
        "CUSTOM-1": "no element to look at",
        "CUSTOM-2a": "promised  Two and two make four.",
        "CUSTOM-2b": r"seen      \x1b[2Jgone\u202e\udce9",
    }.items(),
)
def test_the_reason_stands_beside_the_verdict(mixed: Outcome, id_: str, reason: str) -> None:
    assert reason in " ".join(block(mixed, id_).split("\n            "))


def test_a_failure_says_where_what_was_promised_what_was_seen_and_where_to_look(
    mixed: Outcome,
) -> None:
    assert block(mixed, "CONN-1").splitlines()[-4:] == [
        "  where     Pod b",
        "  promised  TLS",
        "  seen      plain",
        "  look at   line 9; evidence/CONN-1/",
    ]


def test_elements_and_evidence_are_kept_for_each(mixed: Outcome) -> None:
    found = check(mixed, "CONN-1")
    assert [(e["name"], e["outcome"]) for e in found["elements"]] == [
        ("a", "passed"),
        ("b", "failed"),
        ("c", "passed"),
    ]
    assert len(found["evidence"]) == 3
    assert all((mixed.directory / "report" / path).is_file() for path in found["evidence"])


def test_an_error_keeps_its_traceback_as_evidence(mixed: Outcome) -> None:
    kept = check(mixed, "CONN-2")["evidence"][0]
    assert "Traceback" in (mixed.directory / "report" / kept).read_text()


def test_what_is_not_for_this_version_is_not_run_and_says_so(mixed: Outcome) -> None:
    row = next(row for row in mixed.run["requirements"] if row["id"] == "CONN-11")
    assert row["reason"] == "from 2.9 on, the subject is 2.8.0"
    assert row["checks"][0]["outcome"] == "not-run"


def test_reports_agree_and_keep_to_their_forms(mixed: Outcome) -> None:
    jsonschema.validate(mixed.run, run_json.schema())
    report = mixed.directory / "report"
    root = ET.parse(report / "junit.xml").getroot()
    cases = {case.get("name", "").split()[0]: case for case in root.iter("testcase")}
    assert set(cases) == set(mixed.verdicts)
    assert [child.tag for child in cases["CONN-1"]] == ["failure", "system-out"]
    assert [child.tag for child in cases["CONN-2"]] == ["error", "system-out"]
    assert [child.tag for child in cases["AUTO-1"]] == []
    lines = (report / "journal.jsonl").read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert events[0] == "run-started"
    assert events[-1] == "run-finished"
    assert events.count("check-finished") == events.count("check-started") == 16


def test_what_a_server_sent_cannot_steer_the_terminal(mixed: Outcome) -> None:
    assert "\x1b" not in mixed.out


def test_an_error_alone_is_neither_a_pass_nor_a_breach(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, KEPT + ERROR).run()
    assert ended.code == 3
    assert "inconclusive" in ended.out


@pytest.mark.parametrize(
    ("ends", "verdict", "code"),
    [
        ('expect(False, where="Pod a", promised="TLS", seen="plain")', "failed", 1),
        ('raise Blocked("the cluster never became ready")', "blocked", 3),
        ('raise OSError("no route to host")', "error", 3),
    ],
)
@pytest.mark.parametrize(
    "late", ['OSError("stuck")', 'AssertionError("stuck")', 'pytest.skip.Exception("stuck")']
)
def test_what_breaks_after_a_verdict_is_said_and_takes_nothing_from_it(
    tmp_path: Path, ends: str, verdict: str, code: int, late: str
) -> None:
    text = f'''
@pytest.fixture
def stuck():
    yield
    raise {late}

@requirement("AUTO-1")
def test_stuck(stuck):
    """Ends, and then cannot be cleared up."""
    {ends}
'''
    ended = Example.make(tmp_path, text).run()
    assert ended.code == code
    assert ended.verdicts["AUTO-1"] == verdict
    row = next(row for row in ended.run["requirements"] if row["id"] == "AUTO-1")
    assert "stuck" not in json.dumps({**row, "checks": [row["checks"][0]["text"]]})
    assert "stuck" in ended.run["breakdowns"][0]["text"]
    assert "while clearing up, " in ended.out
    (trace,) = (path for path in row["checks"][0]["evidence"] if "traceback" in path)
    assert "stuck" in (tmp_path / "report" / trace).read_text()


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
    """What is waited for before the heading is on standard error, once it is off the terminal."""
    start = """
    from fixtures.run.hooks import RECORDER
    config.stash[RECORDER].progress("images: making \\x1b[2Jone")"""
    ended = Example.make(tmp_path, SAYS_PROGRESS, start=start).run()
    assert ended.out.startswith("platform claimed (no cluster at all), subject some operator")
    assert ended.err == "images: making \\x1b[2Jone\n"
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
    for arguments in (["-k", "nothing"], ["--requirement", "FIN-1a"]):
        ended = example.run(*arguments)
        assert ended.code == 5
        assert "nothing selected" in ended.out
        assert ended.platform == []
        assert not (tmp_path / "report").exists()


def test_only_what_is_not_applicable_is_never_green(tmp_path: Path) -> None:
    text = KEPT.replace("AUTO-1", "CONN-11")
    ended = Example.make(tmp_path, text).run("--requirement", "CONN-11")
    assert ended.code == 5
    assert ended.verdicts == {"CONN-11": "not-applicable"}


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

"""Every way in which a check can end: its verdict, its reason, its evidence, the exit code."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reports.renderers import run_json
from tests.suites.example import BROKEN, ERROR, KEPT, Example, Outcome

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
    """Return the lines of one requirement on the terminal."""
    return ended.out[ended.out.index(f"\n{id_}  ") :].split("\n\n")[0]


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
    page = "https://docs.percona.com/percona-operator-for-postgresql/2.8.1/TLS.html"
    lines = block(mixed, "CONN-1").strip().splitlines()
    assert lines[0].startswith("CONN-1  FAILED (MUST)  ")
    assert lines[-5:] == [
        "  where     Pod b",
        "  promised  TLS",
        "  seen      plain",
        "  look at   line 9; evidence/CONN-1/",
        f"  page      {page}#check-connectivity-to-the-cluster",
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


def test_why_a_platform_did_not_come_up_is_told_with_its_log_and_all_that_followed(
    tmp_path: Path,
) -> None:
    start = (
        "from fixtures.run.platform import PlatformError; "
        'error = PlatformError("kind failed: no image", "pulling\\ntoomanyrequests"); '
        'error.add_note("and then: not deleted"); raise error'
    )
    stop = 'raise ExceptionGroup("not all", [OSError("the first"), OSError("the second")])'
    ended = Example.make(tmp_path, KEPT, start=start, stop=stop).run()
    assert ended.code == 3
    came, removed = ended.run["breakdowns"]
    assert "did not come up: PlatformError: kind failed: no image" in came["text"]
    assert came["log"] == "and then: not deleted\npulling\ntoomanyrequests"
    assert "not all" in removed["text"]
    assert "OSError: the first" in removed["log"]
    assert "OSError: the second" in removed["log"]


MODULE = "checks/test_example.py"
TWO_CHAPTERS = """
@requirement("AUTO-1", "AUTO-2a")
def test_first():
    \"\"\"Kept.\"\"\"

@requirement("CONN-1")
def test_second():
    \"\"\"Kept.\"\"\"

@requirement("CONN-2")
def test_third():
    \"\"\"Kept.\"\"\"
"""


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["checks/test_example.py::test_first"], {"AUTO-1", "AUTO-2a"}),
        ([f"{MODULE}::test_first", f"{MODULE}::test_third"], {"AUTO-1", "AUTO-2a", "CONN-2"}),
        (["-k", "second or third"], {"CONN-1", "CONN-2"}),
        (["checks/test_example.py", "-k", "first"], {"AUTO-1", "AUTO-2a"}),
        (["checks/test_example.py::test_first", "--requirement", "AUTO-1"], {"AUTO-1"}),
    ],
)
def test_a_check_that_is_named_besides_the_folder_is_run_alone(
    tmp_path: Path, arguments: list[str], ids: set[str]
) -> None:
    """tox puts the folder before what the user names."""
    example = Example.make(tmp_path, TWO_CHAPTERS)
    ended = example.run("checks", *arguments)
    assert ended.code == 0, ended.out + ended.err
    assert set(ended.verdicts) == ids
    assert "of the selection" in ended.out


def test_a_check_is_named_from_the_top_as_in_reports_whatever_the_folder(tmp_path: Path) -> None:
    example = Example.make(tmp_path, TWO_CHAPTERS)
    options = ["-c", "../pytest.ini", "--rootdir", "..", "../checks"]
    elsewhere = Example(tmp_path / "elsewhere")
    elsewhere.directory.mkdir()
    ended = elsewhere.run(*options, "checks/test_example.py::test_second")
    assert ended.code == 0, ended.out + ended.err
    found = Outcome(ended.code, ended.out, ended.err, example.directory)
    assert set(found.verdicts) == {"CONN-1"}


def test_a_check_that_there_is_not_is_wrong_use(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, TWO_CHAPTERS).run("checks", "checks/test_example.py::test_none")
    assert ended.code == 4
    assert "test_none" in ended.err
    assert ended.platform == []

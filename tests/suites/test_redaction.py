"""Reports of whole runs hold no secret, and no text of a server keeps them from being written."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.suites.example import Example, Outcome

PASSWORD = "correct-Horse9"
TOLD = """
    from fixtures.run.hooks import EVIDENCE, RECORDER
    config.stash[EVIDENCE].redactor.learn("correct-Horse9")
    recorder = config.stash[RECORDER]
    recorder.progress("psql password=correct-Horse9")
    recorder.say("kept: password=correct-Horse9")
    recorder.note("stage", seconds="correct-Horse9")
    recorder.broke("the box died of correct-Horse9", log="PGPASSWORD=correct-Horse9")"""
TELLS = '''
@requirement("AUTO-1")
def test_log_tail():
    """Its error brings the end of a log."""
    raise OSError("not ready\\nlog: connecting with correct-Horse9")

@requirement("CONN-1")
def test_seen(each, findings):
    """Its breach quotes a server."""
    findings.shown("FINDING-1", where="correct-Horse9", seen="correct-Horse9")
    with each("user app:correct-Horse9"):
        expect(False, where="correct-Horse9", promised="p correct-Horse9", seen="correct-Horse9",
               look_at="correct-Horse9")

@requirement("CONN-2")
def test_key():
    """A key as a program prints it."""
    raise OSError("-----BEGIN PRIVATE KEY-----\\nMIGH\\n-----END PRIVATE KEY-----")
'''
SURROGATES = '''
@requirement("AUTO-1")
def test_error():
    """A server's message that no file can hold."""
    raise OSError("it said \\ud800")

@requirement("CONN-1")
def test_seen(each, evidence, findings):
    """Its breach quotes that server."""
    findings.shown("FINDING-1", where="\\ud800", seen="\\ud800")
    evidence.text("\\ud800.txt", "it said \\ud800")
    evidence.data("said.json", {"said": "\\ud800"})
    with each("\\ud800"):
        expect(False, where="\\ud800", promised="p", seen="\\ud800", look_at="\\ud800")

@requirement("CONN-2")
def test_blocked():
    """Stands on what that server said."""
    raise Blocked("\\ud800")
'''


def _everything(ended: Outcome) -> str:
    files = (path for path in (ended.directory / "report").rglob("*") if path.is_file())
    return "\n".join([ended.out, ended.err, *(path.read_text() for path in files)])


def test_no_secret_is_in_any_report_or_on_the_terminal(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, TELLS, start=TOLD).run("-v")
    output = _everything(ended)
    assert PASSWORD not in output
    assert "MIGH" not in output
    assert ended.verdicts["CONN-1"] == "failed"
    assert "log: connecting with (hidden)" in ended.out
    assert "PGPASSWORD=(hidden)" in (ended.directory / "report/journal.jsonl").read_text()


def test_the_address_of_a_bundle_is_kept_without_what_lets_one_in(tmp_path: Path) -> None:
    url = "https://me:open-Sesame1@example.test/bundle.yaml?token=one-More2"
    ended = Example.make(tmp_path, TELLS).run("--operator-bundle", url)
    output = _everything(ended)
    assert "Sesame" not in output
    assert "one-More2" not in output
    assert ended.run["settings"]["operator_bundle"].endswith("@example.test/bundle.yaml?(hidden)")


def test_text_that_no_file_can_hold_is_spelled_out(tmp_path: Path) -> None:
    start = r"""
    from fixtures.run.hooks import RECORDER
    config.stash[RECORDER].note("\ud800", said="\ud800")
    config.stash[RECORDER].broke("\ud800", log="\ud800")"""
    ended = Example.make(tmp_path, SURROGATES, start=start).run()
    assert ended.code == 1, ended.err
    assert ended.err == ""
    verdicts = {id_: ended.verdicts[id_] for id_ in ("AUTO-1", "CONN-1", "CONN-2")}
    assert verdicts == {"AUTO-1": "error", "CONN-1": "failed", "CONN-2": "blocked"}
    assert r"it said \ud800" in ended.out
    ET.parse(tmp_path / "report/junit.xml")
    for line in (tmp_path / "report/journal.jsonl").read_text().splitlines():
        assert json.loads(line)

"""run.json, junit.xml and the terminal: the same run, said in three ways."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from reports import terminal
from reports.events import Difference, KnownDeviation, Platform, Subject
from reports.journal import Journal
from reports.renderers import junit, run_json
from reports.run import VERDICTS
from reports.terminal import Style
from reports.text import visible
from reports.verdicts import judge
from reports.wrapping import cells
from tests.properties import given
from tests.properties import strategies as st
from tests.reports import examples as ex

PAGE = "https://docs.example.org/TLS.html#plaintext"
GOLDEN = Path(__file__).parent / "golden"


def passed() -> Journal:
    first = ex.header(ex.selected("AUTO-1", "a"), ex.selected("CONN-1", "b"))
    return ex.journal(first, ex.finished("a"), ex.finished("b"))


def reference() -> Journal:
    made = passed()
    return Journal(
        header=made.header.model_copy(update={"subject": ex.REFERENCE}), events=made.events
    )


def failed() -> Journal:
    first = ex.header(
        ex.selected("AUTO-1", "a"),
        ex.selected("AUTO-2c", "g", level="MAY", promise="Keys are counted."),
        ex.selected("CONN-2", "d", promise="The page's login works."),
        ex.selected("CONN-7", "e", promise="The page's pg-client becomes available."),
        ex.selected("CONN-8", "f", promise="Nine Secrets are shown."),
        ex.selected("TLSONLY-3b", "b", promise="Plaintext is refused at each replica.", link=PAGE),
        ex.selected("TLSONLY-4c", "c", promise="No setting of PgBouncer reopens plaintext."),
        ex.selected("CM-1a", not_applicable="from 2.9 on, the subject is 2.8.0"),
        deviations=[
            KnownDeviation(requirement="TLSONLY-4c", reason="2.6 to 3.1: the user's value wins")
        ],
    )
    other = Difference(where="Pod tls-only-instance1-b7c2-0", promised="the same", seen="as above")
    log = "\n".join(f"line {number}" for number in range(20))
    return ex.journal(
        first,
        ex.finished("a"),
        ex.finished(
            "b",
            "failed",
            ex.PLAINTEXT,
            other,
            evidence=("evidence/TLSONLY-3b/a.txt",),
            namespaces=("pgtls-c0ffee-tlsonly",),
        ),
        ex.finished("c", "failed", Difference(where="Pod b", promised="08P01", seen="AuthOk")),
        ex.finished(
            "d",
            "error",
            text=f"OSError: no route to host (client.py:9)\n{log}",
            evidence=("evidence/scenario-auto/pods.json", "evidence/scenario-auto/log-a.txt"),
        ),
        ex.finished("e", "blocked", text="the cluster never became ready"),
        ex.finished("f", "blocked", text="the cluster never became ready"),
        ex.finished("g", "failed", Difference(where="Secret", promised="6 keys", seen="7 keys")),
        ex.shown("FINDING-1"),
    )


def partial() -> Journal:
    first = ex.header(
        ex.selected("AUTO-1", "a"),
        ex.selected("AUTO-2a", "b"),
        ex.selected("AUTO-3a"),
        ex.selected("FIN-1a"),
        subject=ex.REFERENCE,
    )
    return ex.journal(first, ex.finished("a"), ex.finished("b", "skipped", text="asked for"))


def interrupted() -> Journal:
    first = ex.header(ex.selected("AUTO-1", "a"), ex.selected("AUTO-2a", "b"), selection=True)
    return ex.journal(first, ex.finished("a"), ex.started("b"), ex.interrupted("Ctrl-C"))


def cut_off() -> Journal:
    first = ex.header(ex.selected("AUTO-1", "a"), ex.selected("AUTO-2a", "b"))
    return ex.journal(first, ex.finished("a"), ex.started("b"), footer=False)


def inconclusive() -> Journal:
    first = ex.header(ex.selected("AUTO-1", "a"), subject=None)
    return ex.journal(first, ex.broke("the platform did not come up: no space", "df\nfull"))


JOURNALS = {
    make.__name__: make
    for make in (passed, reference, failed, partial, interrupted, cut_off, inconclusive)
}


@pytest.mark.parametrize("name", JOURNALS)
def test_the_terminal_reads_as_it_was_agreed(name: str, request: pytest.FixtureRequest) -> None:
    """After a deliberate change, delete the golden file and run once more, then read it."""
    output = terminal.render(judge(JOURNALS[name]()), Style(width=100), "/srv/ci/report")
    golden = GOLDEN / f"{name}.txt"
    if not golden.exists():
        golden.write_text(output)
        pytest.fail(f"{golden} was missing and is written now: read it, then run again")
    assert output == golden.read_text()


@pytest.mark.parametrize("name", JOURNALS)
def test_run_json_keeps_to_the_published_schema(name: str) -> None:
    published = json.loads(run_json.SCHEMA_FILE.read_text())
    jsonschema.Draft202012Validator.check_schema(published)
    run = json.loads(run_json.render(judge(JOURNALS[name]())))
    jsonschema.validate(run, published)
    assert {"result", "requirements", "subject", "platform", "counts", "findings"} <= set(run)
    assert all({"id", "verdict", "checks"} <= set(row) for row in run["requirements"])


def test_the_published_schema_is_in_step_with_the_models() -> None:
    """Run `python -m reports.renderers.run_json` after changes that break readers; count it up."""
    assert json.loads(run_json.SCHEMA_FILE.read_text()) == run_json.schema()


@pytest.mark.parametrize("name", JOURNALS)
def test_junit_counts_what_it_lists(name: str) -> None:
    run = judge(JOURNALS[name]())
    root = ET.fromstring(junit.render(run))
    for suite in root.iter("testsuite"):
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped",) * 2):
            listed = [case for case in cases if case.find(tag) is not None]
            assert int(suite.get(attribute, "")) == len(listed)
    assert len(list(root.iter("testcase"))) == len(run.requirements)


def test_in_junit_only_a_breach_is_a_failure() -> None:
    root = ET.fromstring(junit.render(judge(failed())))
    tags = {
        (case.get("name") or "").split()[0]: [child.tag for child in case]
        for case in root.iter("testcase")
    }
    assert tags == {
        "AUTO-1": [],
        "AUTO-2c": ["failure"],
        "CONN-2": ["error", "system-out"],
        "CONN-7": ["skipped"],
        "CONN-8": ["skipped"],
        "TLSONLY-3b": ["failure", "system-out"],
        "TLSONLY-4c": ["skipped"],
        "CM-1a": ["skipped"],
    }
    types = [skip.get("type") for skip in root.iter("skipped")]
    assert sorted(types, key=str) == ["blocked", "blocked", "known-deviation", "not-applicable"]


def test_colours_are_only_added_never_needed() -> None:
    for make in JOURNALS.values():
        run = judge(make())
        plain = terminal.render(run, Style(width=100), "r")
        coloured = terminal.render(run, Style(width=100, colour=True), "r")
        assert "\x1b" not in plain
        assert "\x1b[" in coloured
        for code in set(terminal.COLOURS.values()) | {"0"}:
            coloured = coloured.replace(f"\x1b[{code}m", "")
        assert coloured == plain


@given(st.integers(min_value=40, max_value=200))
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    for make in JOURNALS.values():
        output = terminal.render(judge(make()), Style(width=width), "r")
        assert all(cells(line) <= width for line in output.splitlines() if PAGE not in line)


def test_each_count_is_said_also_where_a_table_has_no_room() -> None:
    output = terminal.render(judge(failed()), Style(width=40), "r")
    assert "TLSONLY   1 failed, 1 known deviation\n" in output
    assert "all       2 failed, 1 error, 2 blocked,\n          1 known deviation" in output


def test_a_failure_has_its_namespace_its_level_and_the_page_in_junit_too() -> None:
    root = ET.fromstring(junit.render(judge(failed())))
    texts = [failure.text or "" for failure in root.iter("failure")]
    assert any("namespace: pgtls-c0ffee-tlsonly\nlevel: MUST\npage: " in text for text in texts)


hostile = st.text(st.characters(codec=None), max_size=40)


@given(hostile, hostile)
def test_what_servers_send_breaks_no_report(seen: str, text: str) -> None:
    promised = ex.selected("AUTO-2a", "b", promise=text)
    first = ex.header(ex.selected("AUTO-1", "a"), promised)
    platform = Platform(name=seen, detail=text)
    subject = Subject(name=seen, version=text, reference=False)
    first = first.model_copy(update={"platform": platform, "subject": subject})
    difference = Difference(where=seen, promised=seen, seen=seen, look_at=seen)
    run = judge(
        ex.journal(
            first,
            ex.finished("a", "failed", difference, evidence=(seen,)),
            ex.finished("b", "error", text=text),
            ex.broke(seen, log=text),
        )
    )
    output = terminal.render(run, Style(), "r")
    assert visible(output) == output
    assert not {"\x1b", "\r", "\x00", "\x9b", "\u202e"} & set(output)
    ET.fromstring(junit.render(run))
    json.loads(run_json.render(run))


@pytest.mark.parametrize(
    "character",
    "\x1b\r\x9b\xad\u061c\u200b\u200d\u2028\u2060\u202e\ud800\ufeff\ufffe\uffff\U000e0041",
)
def test_what_has_no_shape_is_spelled_out(character: str) -> None:
    output = visible(f"a{character}b")
    assert output.isprintable()
    assert f"{ord(character):02x}b" in output


def test_letters_of_any_script_and_ends_of_lines_stay() -> None:
    assert visible("größer\n漢字 ελ 🐘\tb") == "größer\n漢字 ελ 🐘 b"


def test_every_verdict_has_a_colour_and_a_place_in_the_table() -> None:
    assert set(VERDICTS) <= set(terminal.COLOURS)

"""Known deviations: what the list must be, and what becomes of what is listed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest

from fixtures.run.usage import UsageError
from suites import catalogue as catalogues
from suites import deviations
from suites.catalogue import Catalogue
from suites.deviations import Bound, Deviation
from suites.versions import Version
from tests.suites.example import KEPT, Example

ENTRY = """\
- requirement: TLSONLY-4a
  from: "2.6"
  until: "3.0"
  instead: The rule stays.
  reference: none known
  review-by: 2027-05-31
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return catalogues.load()


def loaded(tmp_path: Path, text: str, catalogue: Catalogue) -> tuple[Deviation, ...]:
    (tmp_path / deviations.FILE).write_text(text)
    return deviations.load(tmp_path, {row.id: (row.since, row.until) for row in catalogue})


def test_what_was_seen_on_the_unmodified_operator_is_listed(catalogue: Catalogue) -> None:
    seen = {"TLSONLY-4a", "TLSONLY-4c", "FIN-1a", "FIN-4", "FIN-7a"}
    listed = {one.requirement: one for one in catalogue.known_deviations(Version(2, 9))}
    assert seen <= set(listed)
    assert "K8SPG-1010" in listed["FIN-4"].reference
    assert catalogue.known_deviations(None) == ()


def test_an_entry_has_all_that_the_report_says(tmp_path: Path, catalogue: Catalogue) -> None:
    (entry,) = loaded(tmp_path, ENTRY, catalogue)
    assert entry.reason == "2.6 to 3.0: The rule stays."
    assert entry.review_by == date(2027, 5, 31)


@pytest.mark.parametrize(
    ("since", "until", "version", "covered"),
    [
        ("2.6", "3.0", "2.5.9", False),
        ("2.6", "3.0", "2.6.0", True),
        ("2.6", "3.0", "3.0.7", True),
        ("2.6", "3.0", "3.1.0", False),
        ("2.9.1", "2.9.2", "2.9.0", False),
        ("2.9.1", "2.9.2", "2.9.2", True),
        ("2.9.1", "2.9.2", "2.9.3", False),
        ("2.10", "2.10", "2.10.3", True),
        ("2.10", "2.10", "2.9.0", False),
    ],
)
def test_a_range_has_both_of_its_ends(
    tmp_path: Path, catalogue: Catalogue, since: str, until: str, version: str, covered: bool
) -> None:
    text = ENTRY.replace('"2.6"', f'"{since}"').replace('"3.0"', f'"{until}"')
    (entry,) = loaded(tmp_path, text, catalogue)
    assert entry.covers(Version.parse(version)) is covered


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("TLSONLY-4a", "TLSONLY-4z", "TLSONLY-4z, requirement: no such row"),
        ('"2.6"', '"2.5"', "TLSONLY-4a, from: it is promised from 2.6 on"),
        ('"2.6"', "2.6", "TLSONLY-4a, from: 2.6 is not a version; write it in quotes"),
        ('"2.6"', '"two"', "TLSONLY-4a, from: 'two' is not a version"),
        ('"2.6"', '"3.1"', "from 3.1 until 3.0 is no range of versions"),
        ("TLSONLY-4a", "AUTO-2c", "AUTO-2c, until: it is promised up to 3.0|^$"),
        ("2027-05-31", "2027-13-31", "cannot be read: month must be|review-by: Input should be"),
        ("2027-05-31", "soon", "TLSONLY-4a, review-by: Input should be a valid date"),
        ("  reference: none known\n", "", "TLSONLY-4a, reference: Field required"),
        ("none known", '""', "TLSONLY-4a, reference: String should have at least 1"),
        ("  instead: The rule stays.\n", "", "TLSONLY-4a, instead: Field required"),
        ("reference:", "referense: x\n  reference:", "TLSONLY-4a, referense: Extra inputs"),
        ("reference:", 'breach: "("\n  reference:', "breach is no regular expression"),
        (ENTRY, "requirement: TLSONLY-4a", "is no list of entries"),
        (ENTRY, "", "is no list of entries"),
        ("- requirement: TLSONLY-4a", "- 5\n- requirement: X-1", "entry 5, entry: Input should"),
        ("none known", "[", r"line \d, column \d"),
    ],
)
def test_what_is_malformed_is_refused_in_one_line(
    tmp_path: Path, catalogue: Catalogue, old: str, new: str, expected: str
) -> None:
    if old == "TLSONLY-4a" and new == "AUTO-2c":
        text = ENTRY.replace(old, new).replace('"3.0"', '"3.1"')
    else:
        text = ENTRY.replace(old, new)
    with pytest.raises(UsageError) as refused:
        loaded(tmp_path, text, catalogue)
    message = str(refused.value)
    assert message.startswith("known_deviations.yaml")
    assert "\n" not in message
    assert re.search(expected, message)


@pytest.mark.parametrize(
    ("since", "until", "overlaps"),
    [
        ("2.6", "3.0", True),
        ("3.0", "3.1", True),
        ("3.0.5", "3.0.5", True),
        ("3.1", "3.1", False),
    ],
)
def test_two_entries_of_one_row_share_no_version(
    tmp_path: Path, catalogue: Catalogue, since: str, until: str, overlaps: bool
) -> None:
    other = ENTRY.replace('until: "3.0"', f'until: "{until}"').replace('"2.6"', f'"{since}"')
    text = ENTRY + other
    if overlaps:
        with pytest.raises(UsageError, match="which overlap; make one entry of them"):
            loaded(tmp_path, text, catalogue)
    else:
        assert len(loaded(tmp_path, text, catalogue)) == 2


def test_without_the_file_nothing_is_known(tmp_path: Path) -> None:
    assert deviations.load(tmp_path, {}) == ()


def test_an_entry_that_nobody_has_reviewed_is_named(tmp_path: Path, catalogue: Catalogue) -> None:
    entries = loaded(tmp_path, ENTRY, catalogue)
    assert list(deviations.overdue(entries, date(2027, 5, 31))) == []
    (said,) = deviations.overdue(entries, date(2027, 6, 1))
    assert "TLSONLY-4a (2.6 to 3.0) was to be reviewed by 2027-05-31" in said


def test_bounds_are_written_as_they_were_given() -> None:
    assert [str(Bound.parse(text)) for text in ("2.9", "2.9.0")] == ["2.9", "2.9.0"]


DEVIATING = '''
@requirement("TLSONLY-4a")
def test_rule():
    """A rule of the user's."""
    raise Breach(where="Pod a", promised="refused", seen="logged in")

@requirement("FIN-1a")
def test_ca():
    """The CA Secret."""
    raise Breach(where="Secret a-cluster-cert", promised="stays", seen="gone")

@requirement("FIN-4")
def test_back():
    """Nothing comes back."""

@requirement("FIN-7a")
def test_pvc():
    """The CA Secret is there."""
'''


def test_a_listed_breach_is_a_verdict_of_its_own_in_every_report(tmp_path: Path) -> None:
    example = Example.make(tmp_path, KEPT + DEVIATING, version="2.9.0")
    ended = example.run("-k", "kept or rule or back or pvc")
    assert ended.code == 0, ended.out
    assert ended.verdicts == {
        "AUTO-1": "passed",
        "FIN-4": "passed",
        "FIN-7a": "passed",
        "TLSONLY-4a": "known-deviation",
    }
    assert "passed of the selection but for known deviations" in ended.out
    assert ended.run["statement"][-3:] == [
        "known deviations that occurred: TLSONLY-4a",
        "known deviations that are gone: FIN-7a; take them off the list",
        "known deviations that do not occur in every run, nor in this: FIN-4",
    ]
    assert "\nTLSONLY-4a  KNOWN DEVIATION (MUST)  " in ended.out
    states = {one["requirement"]: one["state"] for one in ended.run["deviations"]}
    assert states == {"TLSONLY-4a": "occurred", "FIN-7a": "gone", "FIN-4": "gone"}
    root = ET.parse(tmp_path / "report/junit.xml").getroot()
    (skipped,) = (one for one in root.iter("skipped"))
    assert skipped.get("type") == "known-deviation"
    strict = example.run("-k", "kept or rule", "--strict-deviations")
    assert strict.code == 1
    assert "failed of the selection: 1 known deviation, with --strict-deviations" in strict.out


def test_another_breach_of_a_listed_row_is_a_failure(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, DEVIATING, version="2.9.0").run("-k", "ca")
    assert (ended.code, ended.verdicts["FIN-1a"]) == (1, "failed")
    assert "not only as is known of it" in ended.out


@pytest.mark.parametrize(("version", "reference"), [("2.9.0", True), ("3.2.0", False)])
def test_the_reference_operator_and_other_versions_have_no_excuse(
    tmp_path: Path, version: str, reference: bool
) -> None:
    example = Example.make(tmp_path, DEVIATING, version=version, reference=reference)
    ended = example.run("-k", "rule")
    assert (ended.code, ended.verdicts["TLSONLY-4a"]) == (1, "failed")


@pytest.mark.parametrize(
    ("id_", "text", "meant"),
    [
        ("TLSONLY-2", 'Pod a, pg_hba_file_rules: line 9 "hostgssenc all all all scram"', True),
        ("TLSONLY-2", 'Pod a, pg_hba_file_rules: line 9 "host all all all scram"', False),
        (
            "TLSONLY-2",
            'Pod a, pg_hba_file_rules: line 3 "hostgssenc all all all scram"; line 9 "host a b c"',
            False,
        ),
        ("FIN-1a", "Secret pgtls-1-deletion/kept-cluster-ca-cert: 404 NotFound", True),
        ("FIN-7a", "Secret pgtls-1-deletion/claims-cluster-cert: 404 NotFound", False),
    ],
)
def test_only_the_breach_that_was_seen_is_excused(
    catalogue: Catalogue, id_: str, text: str, meant: bool
) -> None:
    (entry,) = (one for one in catalogue.deviations if one.requirement == id_)
    assert (re.search(entry.breach, text) is not None) is meant

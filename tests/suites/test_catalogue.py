"""The catalogue: what it must be to be trusted, and what is refused in one line."""

import re
from pathlib import Path

import pytest
import yaml

from fixtures.run.deadlines import DEADLINE_KINDS
from fixtures.run.usage import UsageError
from suites import catalogue as catalogues
from suites.catalogue import HERE, Catalogue
from suites.explain import explanation
from suites.versions import Version, parse_levels

CHAPTERS = re.findall(
    "[A-Z]+",
    "AUTO CONN REPL CERTREQ CUSTOM ROOTCA UPDATE ROTATE TLSONLY FIN CM BACKREST UPGRADE",
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return catalogues.load()


def plain() -> dict[str, object]:
    """The file as a second reader sees it, without our models."""
    tree = yaml.safe_load((HERE / "requirements.yaml").read_text())
    assert isinstance(tree, dict)
    return tree


def test_every_chapter_is_there_in_order(catalogue: Catalogue) -> None:
    assert [chapter.id for chapter in catalogue.chapters] == CHAPTERS


def test_ids_are_well_formed_once_each_and_in_order_in_their_chapter() -> None:
    seen: list[str] = []
    for chapter in plain()["chapters"]:  # type: ignore[attr-defined]  # plain YAML
        keys = []
        for row in chapter["requirements"]:
            match = re.fullmatch(rf"{chapter['id']}-([1-9]\d*)([a-z]?)", row["id"])
            assert match, row["id"]
            keys.append((int(match[1]), match[2]))
            seen.append(row["id"])
        assert keys == sorted(keys), chapter["id"]
        lettered = {number for number, letter in keys if letter}
        whole = {number for number, letter in keys if not letter}
        # CERTREQ-4a came later and says another thing than CERTREQ-4.
        assert lettered & whole <= ({4} if chapter["id"] == "CERTREQ" else set())
    assert len(seen) == len(set(seen))


def test_everything_that_is_cited_is_explained_and_numbers_have_no_gap(
    catalogue: Catalogue,
) -> None:
    known = [source.id for source in catalogue.sources]
    assert len(known) == len(set(known))
    assert {id_ for row in catalogue for id_ in row.source} <= set(known)
    for letter, count in {"P": 58, "O": 8, "N": 26, "F": 22, "C": 11}.items():
        assert [id_ for id_ in known if id_[0] == letter] == [
            f"{letter}{number}" for number in range(1, count + 1)
        ]


def test_every_deadline_that_is_named_exists(catalogue: Catalogue) -> None:
    names = {kind.name for kind in DEADLINE_KINDS}
    assert {name for row in catalogue for name in row.deadlines} <= names
    assert all(row.deadlines for row in catalogue)


def test_a_promise_is_a_sentence_and_rests_on_a_page_unless_it_is_a_may(
    catalogue: Catalogue,
) -> None:
    for row in catalogue:
        assert row.promise.endswith("."), row.id
        assert row.observed.endswith("."), row.id
        level = row.level_for(Version(2, 8))
        if level != "MAY":
            # A SHOULD may be known from what went wrong elsewhere, or from a standard.
            pages = "PON" if level == "MUST" else "PONFT"
            assert any(source[0] in pages for source in row.source), row.id


def test_findings_are_numbered_without_a_gap(catalogue: Catalogue) -> None:
    assert [f.id for f in catalogue.findings] == [f"FINDING-{n}" for n in range(1, 20)]


def test_text_that_names_a_row_names_one_that_exists(catalogue: Catalogue) -> None:
    texts = [f"{row.promise} {row.observed} {row.known}" for row in catalogue]
    texts += [f"{finding.finding} {finding.shown}" for finding in catalogue.findings]
    chapters = "|".join(CHAPTERS)
    for text in texts:
        for id_ in re.findall(rf"\b(?:{chapters})-\d+[a-z]?", text):
            assert id_ in catalogue.by_id, text


def test_a_level_may_change_with_the_version(catalogue: Catalogue) -> None:
    row = catalogue.by_id["AUTO-6a"]
    assert row.level_for(Version(2, 8)) == "MUST"
    assert row.level_for(Version(3, 0, 9)) == "MUST"
    assert row.level_for(Version(3, 1)) == "SHOULD"
    assert row.level_for(None) == "MUST"
    assert row.levels == "MUST; SHOULD from 3.1"


@pytest.mark.parametrize(
    ("id_", "version", "applies"),
    [
        ("TLSONLY-2", "2.5.1", False),
        ("TLSONLY-2", "2.6.0", True),
        ("AUTO-2c", "3.0.7", True),
        ("AUTO-2c", "3.1.0-dev", False),
        ("CM-1b", "2.8.0", False),
        ("CM-1b", "2.9.0", True),
    ],
)
def test_a_row_holds_for_its_versions_both_ends_included(
    catalogue: Catalogue, id_: str, version: str, applies: bool
) -> None:
    here = frozenset({"own-certificates"})
    reason = catalogue.why_not(catalogue.by_id[id_], Version.parse(version), here)
    assert (reason == "") is applies
    assert applies or f"{version.partition('-')[0]}" in reason


def test_conditions_decide_and_say_why(catalogue: Catalogue) -> None:
    auto, managed = catalogue.by_id["AUTO-1"], catalogue.by_id["CM-3a"]
    version = Version(2, 9)
    own, manager = frozenset({"own-certificates"}), frozenset({"cert-manager"})
    assert catalogue.why_not(auto, version, own) == ""
    assert "cert-manager issues" in catalogue.why_not(auto, version, manager)
    assert "cert-manager is not there" in catalogue.why_not(managed, version, own)
    assert catalogue.why_not(managed, version, manager) == ""
    assert catalogue.why_not(auto, None, None) == "", "unknown, so nothing is ruled out"


def test_where_cert_manager_issues_what_it_changes_is_out(catalogue: Catalogue) -> None:
    """Rows of what the operator generates itself, or what looks otherwise with cert-manager."""
    here = frozenset({"cert-manager"})
    out = {row.id for row in catalogue if catalogue.why_not(row, None, here)}
    changed = {"CONN-2", "CONN-7", "CONN-8", "CERTREQ-1a", "CERTREQ-4", "CERTREQ-4a"}
    assert {id_ for id_ in out if not id_.startswith("AUTO-")} == changed


def test_in_2_8_nothing_of_cert_manager_is_applicable(catalogue: Catalogue) -> None:
    here = frozenset({"own-certificates", "dns-suffix"})
    out = {row.id for row in catalogue if catalogue.why_not(row, Version(2, 8), here)}
    managed = {row.id for row in catalogue if row.chapter == "CM"}
    assert out - managed == {"CONN-11", "CONN-12a", "CONN-12b", "ROOTCA-4", "TLSONLY-4b"}
    assert managed <= out


def test_without_the_field_for_the_dns_suffix_what_needs_it_is_out(catalogue: Catalogue) -> None:
    here = frozenset({"own-certificates"})
    row = catalogue.by_id["CERTREQ-4a"]
    assert "clusterServiceDNSSuffix" in catalogue.why_not(row, Version(2, 8), here)


ROW = """\
chapters:
  - id: AUTO
    title: t
    deadlines: [ready]
    requirements:
      - {id: AUTO-1, promise: p., level: MUST, source: [P1], since: "2.2", observed: o.}
"""


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "requirements.yaml").write_text(text)
    (tmp_path / "sources.yaml").write_text(
        "- {page: p, sentences: [{id: P1, section: s, says: t}]}\n"
    )
    (tmp_path / "findings.yaml").write_text("[]\n")
    return tmp_path


def broken(tmp_path: Path, text: str) -> str:
    with pytest.raises(UsageError) as refused:
        catalogues.load(written(tmp_path, text))
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith("requirements.yaml")
    return message


def test_the_shortest_row_is_one_line(tmp_path: Path) -> None:
    shortest = "      - {id: AUTO-1, promise: p., source: [P1]}"
    text = "\n".join([*ROW.splitlines()[:-1], shortest])
    catalogue = catalogues.load(written(tmp_path, text))
    (row,) = catalogue
    assert (row.levels, row.versions) == ("MUST", "2.2 and later")
    assert (row.deadlines, row.needs) == (("ready",), ())
    assert "  As its checks say." in explanation(catalogue, (), row, tmp_path)


def test_the_example_is_sound_but_for_what_is_changed_in_it(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception):
        broken(tmp_path, ROW)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("AUTO-1,", "AUTO-01,", "malformed id 'AUTO-01'"),
        ("AUTO-1,", "auto-1,", "malformed id 'auto-1'"),
        ("AUTO-1,", "CONN-1,", "CONN-1 stands in chapter AUTO"),
        ("MUST", "OUGHT", "AUTO-1, level: 'OUGHT' is not a level"),
        ("MUST", "MUST; MAY from 3.1; SHOULD from 3.0", "AUTO-1, level: .* do not go up"),
        ('"2.2"', '"two"', "AUTO-1, since: 'two' is not a version"),
        ("[P1]", "[P2]", "AUTO-1 refers to 'P2', which nothing explains"),
        ("promise: p., ", "", "AUTO-1, promise: Field required. Correct the file."),
        ("id: AUTO-1, promise: p.", "promise: All of it.", "All of it., id: Field required. Corr"),
        ("{id: AUTO-1, promise: p.,", "5 #", "entry 5, entry: Input should be a valid dictionary"),
        ("level: MUST,", "level: MUST, colour: red,", "AUTO-1, colour: Extra inputs"),
        ("chapters:", "chapter:", "has no list of chapters"),
        ("title: t", "title: [", "line 5, column 5"),
        ("deadlines: [ready]", "needs: [luck]", "AUTO-1 refers to 'luck'"),
    ],
)
def test_what_is_malformed_is_refused_in_one_line(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert re.search(expected, broken(tmp_path, ROW.replace(old, new)))


def test_a_duplicate_is_refused(tmp_path: Path) -> None:
    row = ROW.splitlines()[-1]
    assert "AUTO-1 stands there twice" in broken(tmp_path, f"{ROW}{row}\n")


def test_near_matches_help_with_a_slip(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="unknown requirement 'TLSONLY-3z'; did you mean 'TLSONL"):
        catalogue.requirement("TLSONLY-3z", "--requirement")
    with pytest.raises(UsageError, match="unknown chapter 'TLSOLNY'; did you mean 'TLSONLY'"):
        catalogue.chapter("TLSOLNY", "--chapter")
    assert catalogue.requirement("tlsonly-3B", "--requirement").id == "TLSONLY-3b"
    assert catalogue.chapter("tlsonly", "--chapter").id == "TLSONLY"


@pytest.mark.parametrize("text", ["", "must", "SHOULD from 3.1", "MUST; MAY", "MUST, MAY from 3.1"])
def test_what_is_no_level_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a level"):
        parse_levels(text)

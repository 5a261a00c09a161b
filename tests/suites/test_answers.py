"""--list, --explain and --images: what is promised and how it is checked, with nothing started."""

import json
from pathlib import Path

import pytest

from suites import catalogue as catalogues
from tests.suites.example import Example

CHECKS = '''
@requirement("AUTO-1", "AUTO-2a")
def test_tls_is_answered(generated):
    """Every Pod answers with TLS.

    Broken when a handshake fails.
    """
    raise RuntimeError("never run")

@pytest.mark.parametrize("name", [pytest.param("a", marks=requirement("CONN-4a"))])
def test_names(name):
    """Each name verifies."""
'''


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return Example.make(tmp_path_factory.mktemp("answers"), CHECKS)


def test_the_list_has_every_requirement_and_its_checks(example: Example) -> None:
    ended = example.run("--list")
    assert (ended.code, ended.platform, ended.err) == (0, [], "")
    for row in catalogues.load():
        assert f"\n  {row.id} " in ended.out
    assert ended.out.count("test_example::test_tls_is_answered") == 2
    assert ended.out.count("test_example::test_names") == 1
    count = len(list(catalogues.load()))
    assert ended.out.endswith(f"{count} requirements, 3 decided by checks\n")


def test_the_list_can_be_of_a_chapter(example: Example) -> None:
    ended = example.run("--list", "--chapter", "REPL")
    assert ended.out.startswith("REPL  Replication and its user\n")
    count = sum(row.chapter == "REPL" for row in catalogues.load())
    assert ended.out.endswith(f"{count} requirements, 0 decided by checks\n")


def test_the_list_for_programs_has_checks_and_their_scenarios(example: Example) -> None:
    ended = example.run("--list-json")
    assert (ended.code, ended.platform, ended.err) == (0, [], "")
    rows = {row["id"]: row["checks"] for row in json.loads(ended.out)["requirements"]}
    assert list(rows) == [row.id for row in catalogues.load()]
    node = "checks/test_example.py::test_tls_is_answered"
    assert rows["AUTO-1"] == rows["AUTO-2a"] == [{"id": node, "scenarios": ["generated"]}]
    assert rows["CONN-4a"] == [{"id": "checks/test_example.py::test_names", "scenarios": []}]
    assert rows["AUTO-3a"] == []


BUNDLE = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: percona-postgresql-operator
spec:
  template:
    spec:
      containers:
      - name: operator
        image: percona/percona-postgresql-operator:2.8.0
"""


def test_the_images_of_an_operator_are_said(example: Example, tmp_path: Path) -> None:
    """Its own is pulled unless a source is given; a recipe stands in for those of its clusters."""
    bundle = tmp_path / "bundle.yaml"
    bundle.write_text(BUNDLE)
    own = f"percona/percona-postgresql-operator=oci:{tmp_path}"
    ended = example.run("--images", f"--operator-bundle={bundle}", f"--image-source={own}")
    assert (ended.code, ended.platform, ended.err) == (0, [], "")
    first, *others = ended.out.splitlines()[:4]
    assert first == f"percona/percona-postgresql-operator  oci:{tmp_path}, is there"
    for name, line in zip(
        ("distribution-postgresql", "pgbouncer", "pgbackrest"), others, strict=True
    ):
        assert line.startswith(f"percona/percona-{name}:")
        assert "  patroni-17 (trixie) stands in, is " in line
    ended = example.run("--images", f"--operator-bundle={bundle}")
    assert ", is pulled when it is needed\n" in ended.out
    assert example.run("--images", "--list").code == 4


def test_images_that_cannot_stand_in_are_refused(example: Example, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.yaml"
    bundle.write_text(BUNDLE)
    database = "--image=postgres=percona/percona-distribution-postgresql:16"
    ended = example.run("--images", f"--operator-bundle={bundle}", database)
    assert ended.code == 4
    assert ended.err.startswith(
        "ERROR: --images: images: percona/percona-distribution-postgresql:16:"
    )


def test_explain_says_what_is_promised_where_and_how_it_is_checked(example: Example) -> None:
    ended = example.run("--explain", "auto-1")
    assert (ended.code, ended.platform, ended.err) == (0, [], "")
    for part in (
        "AUTO-1  A ready cluster that names no certificate Secret",
        "level      MUST",
        "versions   2.2 and later",
        "P2    Clients talk to the cluster over TLS.",
        "checks/test_example.py:8 test_tls_is_answered",
        "    Broken when a handshake fails.",
        "ready                30 / 900 / 900  until the cluster reports ready",
    ):
        assert part in ended.out


def test_every_row_can_be_explained(example: Example) -> None:
    ids = [row.id for row in catalogues.load()]
    ended = example.run(*[word for id_ in ids for word in ("--explain", id_)])
    assert ended.code == 0
    assert all(f"{id_}  " in ended.out for id_ in ids)


def test_several_rows_can_be_explained_at_once(example: Example) -> None:
    ended = example.run("--explain", "AUTO-1,fin-1a,AUTO-1")
    assert ended.code == 0
    assert ended.out.startswith("AUTO-1  ")
    assert ended.out.count("\nFIN-1a  ") == 1
    assert ended.out.count("AUTO-1  ") == 1


@pytest.mark.parametrize(("columns", "widest"), [("60", 60), ("300", 100)])
@pytest.mark.parametrize("arguments", [["--list"], ["--explain", "AUTO-1"]])
def test_answers_are_as_wide_as_the_terminal_and_no_wider_than_is_good_to_read(
    example: Example, columns: str, widest: int, arguments: list[str]
) -> None:
    ended = example.run(*arguments, env={"COLUMNS": columns})
    sentences = [line for line in ended.out.splitlines() if " " in line.strip()]
    assert widest - 10 < max(len(line) for line in sentences) <= widest


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--list", "-k", "names"], "-k: --list does not heed it; leave it out"),
        (["--list-json", "-m", "names"], "-m: --list-json does not heed it; leave it out"),
        (["--list", "--explain", "AUTO-1"], "--list: goes without --explain; give one of"),
        (["--explain", ","], "--explain: is empty; give ID"),
    ],
)
def test_what_an_answer_would_not_heed_is_refused(
    example: Example, arguments: list[str], expected: str
) -> None:
    ended = example.run(*arguments)
    assert (ended.code, ended.out.strip()) == (4, "")
    assert ended.err.startswith(f"ERROR: {expected}")
    assert len(ended.err.strip().splitlines()) == 1


def test_the_help_says_how_choices_come_together(example: Example) -> None:
    output = " ".join(example.run("--help").out.split())
    assert "may be repeated, and adds to --requirement" in output
    assert "may be repeated, and adds to --chapter; -k cuts both" in output


def test_a_chapter_is_explained_row_by_row(example: Example) -> None:
    ended = example.run("--explain", "fin,auto-1")
    rows = [row.id for row in catalogues.load() if row.chapter == "FIN"]
    assert ended.code == 0
    assert ended.out.startswith(f"FIN  Deletion: {len(rows)} requirements\n\n{rows[0]}  ")
    found = [line.split()[0] for line in ended.out.splitlines() if line.startswith("FIN-")]
    assert found == rows
    assert "\nAUTO-1  " in ended.out


def test_an_unknown_chapter_is_refused_with_near_matches(example: Example) -> None:
    ended = example.run("--explain", "tlsonyl")
    assert ended.code == 4
    assert "'tlsonyl' is neither a requirement nor a chapter; did you mean 'TLSONLY" in ended.err


def test_an_explanation_links_the_section_of_the_page(example: Example) -> None:
    ended = example.run("--explain", "FIN-1a", env={"COLUMNS": "40"})
    assert "/2.8.1/TLS.html#keep-certificates-after-deleting-the-cluster\n" in ended.out
    assert all(len(line) <= 40 for line in ended.out.splitlines() if "https://" not in line)


def test_an_unknown_id_is_refused_with_near_matches(example: Example) -> None:
    ended = example.run("--explain", "AUTO-2")
    assert ended.code == 4
    assert "--explain: unknown requirement 'AUTO-2'; did you mean 'AUTO-2" in ended.err


def test_findings_are_listed_and_explained_with_their_checks_or_as_unshown(
    tmp_path: Path,
) -> None:
    text = '''
@finding("FINDING-1")
def test_page(findings):
    """The page's path is refused."""
'''
    example = Example.make(tmp_path, text)
    listed = example.run("--list").out
    assert listed.index("FINDING-1 ") < listed.index("test_example::test_page")
    assert listed.count("no check shows it yet") == 18
    shown = example.run("--explain", "finding-1,FINDING-2,AUTO-1").out
    assert shown.startswith("AUTO-1  ")
    assert "FINDING-1  The page writes" in shown
    assert "    The page's path is refused." in shown
    assert shown.endswith("checked by\n  no check shows it yet\n")
    ended = example.run("--explain", "FINDING-99")
    assert (ended.code, "unknown finding 'FINDING-99'" in ended.err) == (4, True)


def test_a_known_deviation_is_explained(example: Example) -> None:
    output = " ".join(example.run("--explain", "FIN-4").out.split())
    assert "known deviation 2.6 to 3.0, not in every run: " in output
    assert "K8SPG-1010; review by 2027-05-31" in output

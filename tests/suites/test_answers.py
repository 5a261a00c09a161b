"""--list and --explain: what is promised and how it is checked, with nothing started."""

import json

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
    assert ended.out.endswith("165 requirements, 3 decided by checks\n")


def test_the_list_can_be_of_a_chapter(example: Example) -> None:
    ended = example.run("--list", "--chapter", "REPL")
    assert ended.out.startswith("REPL  Replication and its user\n")
    assert ended.out.endswith("7 requirements, 0 decided by checks\n")


def test_the_list_for_programs_has_checks_and_their_scenarios(example: Example) -> None:
    ended = example.run("--list-json")
    assert (ended.code, ended.platform, ended.err) == (0, [], "")
    rows = {row["id"]: row["checks"] for row in json.loads(ended.out)["requirements"]}
    assert list(rows) == [row.id for row in catalogues.load()]
    node = "checks/test_example.py::test_tls_is_answered"
    assert rows["AUTO-1"] == rows["AUTO-2a"] == [{"id": node, "scenarios": ["generated"]}]
    assert rows["CONN-4a"] == [{"id": "checks/test_example.py::test_names", "scenarios": []}]
    assert rows["AUTO-3a"] == []


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
        "ready                30 / 900  until the cluster reports ready",
    ):
        assert part in ended.out


def test_every_row_can_be_explained(example: Example) -> None:
    ids = [row.id for row in catalogues.load()]
    ended = example.run(*[word for id_ in ids for word in ("--explain", id_)])
    assert ended.code == 0
    assert all(f"{id_}  " in ended.out for id_ in ids)


def test_an_unknown_id_is_refused_with_near_matches(example: Example) -> None:
    ended = example.run("--explain", "AUTO-2")
    assert ended.code == 4
    assert "--explain: unknown requirement 'AUTO-2'; did you mean 'AUTO-2" in ended.err

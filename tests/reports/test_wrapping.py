"""Lines that fit the terminal."""

import os

import pytest

from reports.wrapping import cells, columns, folded, padded, shortened, wrapped
from tests.properties import given
from tests.properties import strategies as st

WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Mn", "Me"]))
PATH = "evidence/scenario-custom-deleted/pods/custom-instance1-abcd-0.yaml"
PAGE = "https://docs.example.org/" + 10 * "long/" + "#section"


@given(WORDS, st.integers(min_value=40, max_value=200))
def test_no_line_is_wider_than_asked_for_and_no_word_is_lost(text: str, width: int) -> None:
    lines = wrapped(text, width, "  first   ", "          ")
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "first" + "".join(text.split())


@given(WORDS, st.integers(min_value=40, max_value=200))
def test_a_log_keeps_its_blanks_as_far_as_there_is_room(text: str, width: int) -> None:
    lines = folded(text.replace("\n", " "), width, "    | ", "    |   ")
    assert all(cells(line) <= width for line in lines)


def test_a_word_that_fits_a_line_is_never_broken() -> None:
    words = [f"{'w' * length}" for length in range(1, 41)] * 3
    lines = wrapped(" ".join(words), 40)
    assert " ".join(lines).split() == words


def test_a_word_that_fits_no_line_is_broken_between_its_parts() -> None:
    lines = wrapped(f"see {PATH}", 40, "  look at   ", " " * 12)
    assert "".join(line[12:] for line in lines[1:]) == PATH
    assert all(line[-1] in "/-" for line in lines[1:-1])


def test_an_address_stays_whole() -> None:
    assert wrapped(f"see {PAGE} there", 40) == ["see", PAGE, "there"]


def test_wide_characters_take_two_columns_and_marks_none() -> None:
    assert [cells(text) for text in ("日本", "e\u0301", "🔒", "⚠\ufe0f", "abc")] == [4, 1, 2, 2, 3]
    assert cells(padded("日本", 9)) == 9
    assert all(cells(line) <= 40 for line in wrapped(100 * "証明書", 40, "  seen      ", " " * 12))


def test_what_is_shortened_says_so() -> None:
    assert shortened("all of it", 9) == "all of it"
    assert shortened("too long for it", 9) == "too long…"
    assert cells(shortened("証明書証明書", 6)) <= 6


@pytest.mark.parametrize(
    ("given_columns", "width"), [("72", 72), ("300", 120), ("7", 40), ("0", 100), ("wide", 100)]
)
def test_columns_says_how_wide_lines_are(
    monkeypatch: pytest.MonkeyPatch, given_columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", given_columns)
    reads, writes = os.pipe()
    assert columns(writes, most=120) == width
    os.close(reads)
    os.close(writes)

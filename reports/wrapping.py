"""Lines that fit the terminal, whatever the words are made of.

A word stands whole on a line of its own wherever there is room for it. One that is longer than any
line is broken behind a character that joins its parts, such as a path's slash; an address of the
web is not, as it could no longer be followed.
"""

import os
import re
import unicodedata
from collections.abc import Iterator

PIPED = 100
"""Columns where there is no terminal to ask."""
NARROWEST = 40
_WORD = re.compile(r"(\s*)(\S+)")
_JOINTS = re.compile(r"(?<=[/,;:=_.\-])")
_ADDRESS = re.compile(r"\W*https?://")
_NO_ROOM = {"Mn", "Me", "Cf"}
_AS_PICTURE = "\ufe0f"
"""Has the character before it drawn as a picture, which takes two columns."""


def columns(descriptor: int | None, *, most: int) -> int:
    """Return how wide lines are to be: as COLUMNS says, as the terminal is, or as for a pipe.

    At least NARROWEST and at most `most`. `descriptor` is what is written to, None for nothing.
    """
    return max(NARROWEST, min(_asked_for() or _terminal(descriptor) or PIPED, most))


def bounded(descriptor: int | None) -> bool:
    """Return whether a word that is longer than a line has to be broken: a pipe takes any."""
    return bool(_asked_for() or _terminal(descriptor))


def _asked_for() -> int:
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isascii() and given.isdigit() else 0


def _terminal(descriptor: int | None) -> int:
    try:
        return 0 if descriptor is None else os.get_terminal_size(descriptor).columns
    except OSError:
        return 0


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def shortened(text: str, width: int) -> str:
    """Return as much of a text as `width` columns hold, with an ellipsis where that is not all."""
    if cells(text) <= width:
        return text
    head, _ = _split(text, width - 1)
    return f"{head.rstrip()}…" if width > 0 else ""


def padded(text: str, width: int) -> str:
    """Return a text with blanks behind it, up to `width` columns."""
    return text + " " * (width - cells(text))


def wrapped(
    text: str, width: int, first: str = "", rest: str = "", *, breaks: bool = True
) -> list[str]:
    """Return a text in lines of `width` columns; `first` and `rest` are what they begin with.

    Without `breaks` a word that is longer than a line stays whole.
    """
    lines: list[str] = []
    line, empty = first, True
    for blank, word in _WORD.findall(text):
        gap = "" if empty else blank if blank.isascii() and not blank.strip(" ") else " "
        room = width - cells(line) - len(gap)
        if not empty and cells(word) > room:
            lines.append(line)
            line, empty, room = rest, True, width - cells(rest)
        for piece in _pieces(word, room) if breaks else (word,):
            if piece is None:
                lines.append(line)
                line, empty = rest, True
            else:
                line += piece if empty else gap + piece
                empty = False
    return [*lines, line.rstrip() if empty else line]


def folded(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Return a line of a log, whose blanks are kept, in lines of `width` columns."""
    lines: list[str] = []
    begin = first
    while True:
        head, tail = _split(text, max(width - cells(begin), 1))
        blank = head.rfind(" ")
        if tail and tail[0] != " " and head[: max(blank, 0)].strip():
            head, tail = head[:blank], head[blank:] + tail
        lines.append((begin + head).rstrip())
        if not tail.strip():
            return lines
        text, begin = tail.lstrip(), rest


def _pieces(word: str, room: int) -> Iterator[str | None]:
    """Give a word in pieces that fit, with None where a new line begins."""
    if cells(word) <= room or _ADDRESS.match(word):
        yield word
        return
    line = ""
    for part in _JOINTS.split(word):
        if line and cells(line + part) > room:
            yield line
            yield None
            line = ""
        line += part
        while cells(line) > room:
            head, line = _split(line, room)
            yield head
            yield None
    if line:
        yield line


def _split(text: str, width: int) -> tuple[str, str]:
    """Split behind the last character that `width` columns hold; at least one is taken."""
    taken = 0
    for at, character in enumerate(text):
        taken += _cells(character)
        if taken > width and at > 0:
            return text[:at], text[at:]
    return text, ""


def _cells(character: str) -> int:
    if character == _AS_PICTURE:
        return 1
    if unicodedata.category(character) in _NO_ROOM:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1

"""Text from servers, made safe to show: it may hold anything, also what steers a terminal."""

import os
import re
import sys

_SUSPECT = re.compile(r"[^\n\x20-\x7e]")


def visible(text: str) -> str:
    r"""Spell out what has no shape of its own: ESC is \\x1b.

    Control characters, marks that turn the direction of writing or have no width, lone surrogates,
    and code points that are no characters, which XML forbids. Ends of lines stay.
    """
    return _SUSPECT.sub(lambda match: _spelled(match[0]), text.replace("\t", " "))


def encodable(text: str) -> str:
    r"""Spell out lone surrogates, which JSON may send and no file can hold: \\ud800."""
    return text.encode("utf-8", "backslashreplace").decode()


def one_line(text: str) -> str:
    """Fold all white space, then make the rest visible."""
    return visible(" ".join(text.split()))


def plural(count: int, noun: str) -> str:
    """Count in words: "1 check", "2 checks"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def show(text: str) -> None:
    """Write a text to standard output, as far as anybody reads it.

    A reader such as `head` that has enough closes the pipe: the rest is then written nowhere.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python writes what is left at its exit, to a pipe that nobody reads any more.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def unread(error: Exception) -> str:
    """Say in one line why a report cannot be read, and what to do."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"{error.filename}: is not there; give the report directory of a run."
    if isinstance(error, OSError):
        return f"{error.filename}: cannot be read: {error.strerror}; give one that can."
    return str(error)


def _spelled(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    digits, letter = (2, "x") if code < 0x100 else (4, "u") if code < 0x10000 else (8, "U")
    return f"\\{letter}{code:0{digits}x}"

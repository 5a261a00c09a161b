"""Text from servers, made safe to show: it may hold anything, also what steers a terminal."""

import re

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Spell out control characters, bidirectional marks and lone surrogates: ESC is \\x1b."""
    return _CONTROL.sub(lambda match: _spelled(match[0]), text.replace("\t", " "))


def one_line(text: str) -> str:
    """Fold all white space, then make the rest visible."""
    return visible(" ".join(text.split()))


def plural(count: int, noun: str) -> str:
    """Count in words: "1 check", "2 checks"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _spelled(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

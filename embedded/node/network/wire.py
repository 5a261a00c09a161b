"""DNS messages: as much of RFC 1035 as a resolver inside a Pod speaks."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address

_HEADER = struct.Struct("!6H")
_QUESTION = struct.Struct("!2H")
_RECORD = struct.Struct("!3HIH")
_NAME_OF_QUESTION = 0xC000 | _HEADER.size  # a pointer to it (section 4.1.4)
_IN = 1
_TTL = 0  # seconds; what was true a moment ago may not be now
UDP_LIMIT = 512
"""Bytes of a UDP answer (section 4.2.1)."""


class Type(IntEnum):
    """Types of records that are known."""

    A = 1
    AAAA = 28


class Code(IntEnum):
    """Response codes (section 4.1.1)."""

    OK = 0
    FORMAT = 1
    NO_SUCH_NAME = 3
    NOT_IMPLEMENTED = 4


class MalformedError(Exception):
    """A message that is no query."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question. `name` is lower case, without the dot at its end."""

    number: int
    flags: int
    name: str
    type: int
    raw: bytes
    """The question as it came, to be sent back."""


def parse_query(message: bytes) -> Query:
    """Read a query with its first question. Raises MalformedError."""
    try:
        number, flags, questions, *_ = _HEADER.unpack_from(message)
        if flags & 0x8000 or questions < 1:
            raise MalformedError("not a query")
        labels, offset = [], _HEADER.size
        while length := message[offset]:
            if length > 63:
                raise MalformedError("compressed name in a question")
            labels.append(message[offset + 1 : offset + 1 + length].decode("latin-1"))
            offset += 1 + length
        kind, _ = _QUESTION.unpack_from(message, offset + 1)
    except (struct.error, IndexError) as error:
        raise MalformedError("cut short") from error
    raw = message[_HEADER.size : offset + 1 + _QUESTION.size]
    return Query(number=number, flags=flags, name=".".join(labels).lower(), type=kind, raw=raw)


def answer(
    query: Query, code: Code, addresses: Sequence[IPv4Address], limit: int = 0xFFFF
) -> bytes:
    """Return the response; cut, and marked so, where it is longer than `limit` bytes."""
    records = b"".join(
        _RECORD.pack(_NAME_OF_QUESTION, Type.A, _IN, _TTL, 4) + address.packed
        for address in addresses
    )
    # Response, authoritative, recursion as asked for and said to be available.
    flags = 0x8480 | (query.flags & 0x0100) | code
    count = len(addresses)
    if _HEADER.size + len(query.raw) + len(records) > limit:
        flags, records, count = flags | 0x0200, b"", 0
    return _HEADER.pack(query.number, flags, 1, count, 0, 0) + query.raw + records

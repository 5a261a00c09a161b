"""SPDY/3.1, as much as exec, attach and port-forward need: frames, and one session of streams.

Specification: draft 3.1 of the protocol; without flow control, which clients of Kubernetes lack.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY, HEADERS = 1, 2, 3, 6, 7, 8
FIN = 1
_CANCEL = 5
_LARGEST_FRAME = (1 << 24) - 1
_CHUNK = 64 * 1024
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language "
    "accept-ranges age allow authorization cache-control connection content-base content-encoding "
    "content-language content-length content-location content-md5 content-range content-type date "
    "etag expect expires from host if-match if-modified-since if-none-match if-range "
    "if-unmodified-since last-modified location max-forwards pragma proxy-authenticate "
    "proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url "
    "public set-cookie keep-alive origin"
)
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, "
    "Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,"
    "sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _prefixed(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


DICTIONARY = (
    b"".join(_prefixed(word.replace("_", " ").encode()) for word in _WORDS.split()) + _REST.encode()
)
"""The dictionary with which headers are compressed."""


class SpdyError(Exception):
    """The peer does not speak SPDY/3.1."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The peer opened a stream."""

    stream: int
    headers: Mapping[str, str]
    final: bool


@dataclass(frozen=True, kw_only=True)
class Data:
    """Bytes of a stream; `final` ends its direction."""

    stream: int
    data: bytes
    final: bool


@dataclass(frozen=True, kw_only=True)
class Reset:
    """The peer wants no more of a stream."""

    stream: int


@dataclass(frozen=True, kw_only=True)
class Ping:
    """The peer asks for the same frame."""

    frame: bytes


class Goodbye:
    """The peer opens no more streams."""


Event = Opened | Data | Reset | Ping | Goodbye


class Decoder:
    """Frames of one direction, from whatever pieces they come in."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield what is complete; raises SpdyError."""
        self._buffer += data
        while len(self._buffer) >= 8:
            head, sized = struct.unpack_from(">II", self._buffer)
            size = 8 + (sized & _LARGEST_FRAME)
            if len(self._buffer) < size:
                return
            frame = bytes(self._buffer[:size])
            del self._buffer[:size]
            event = self._event(head, sized >> 24, frame)
            if event is not None:
                yield event

    def _event(self, head: int, flags: int, frame: bytes) -> Event | None:
        body = frame[8:]
        if not head >> 31:
            return Data(stream=head, data=body, final=bool(flags & FIN))
        if (head >> 16) & 0x7FFF != _VERSION:
            raise SpdyError("a frame of another version than 3")
        kind = head & 0xFFFF
        try:
            return self._control(kind, flags, body, frame)
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(f"a frame of type {kind} that cannot be read: {error}") from error

    def _control(self, kind: int, flags: int, body: bytes, frame: bytes) -> Event | None:
        if kind == SYN_STREAM:
            (stream,) = struct.unpack_from(">I", body)
            return Opened(stream=stream, headers=self._headers(body[10:]), final=bool(flags & FIN))
        if kind in {SYN_REPLY, HEADERS}:
            # Nobody needs them, but the compression goes on.
            self._headers(body[4:])
        if kind == RST_STREAM:
            return Reset(stream=struct.unpack_from(">I", body)[0])
        if kind == PING:
            return Ping(frame=frame)
        return Goodbye() if kind == GOAWAY else None

    def _headers(self, block: bytes) -> dict[str, str]:
        raw = self._inflate.decompress(block, _CHUNK)
        if self._inflate.unconsumed_tail:
            raise SpdyError("headers of more than 64 KiB")
        (count,), at, found = struct.unpack_from(">I", raw), 4, {}
        for _ in range(count):
            words = []
            for _ in range(2):
                (size,) = struct.unpack_from(">I", raw, at)
                words.append(raw[at + 4 : at + 4 + size].decode())
                at += 4 + size
            found[words[0].lower()] = words[1]
        return found


class Encoder:
    """Frames to the peer."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def reply(self, stream: int) -> bytes:
        """The answer to a stream that the peer opened."""
        block = self._deflate.compress(struct.pack(">I", 0))
        block += self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _control(SYN_REPLY, struct.pack(">I", stream) + block)

    def data(self, stream: int, data: bytes, *, final: bool = False) -> bytes:
        """Bytes of a stream."""
        pieces = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)] or [b""]
        ends = [False] * (len(pieces) - 1) + [final]
        return b"".join(
            struct.pack(">II", stream, (end << 24) | len(piece)) + piece
            for piece, end in zip(pieces, ends, strict=True)
        )

    def reset(self, stream: int) -> bytes:
        """The end of a stream, at once and both ways."""
        return _control(RST_STREAM, struct.pack(">II", stream, _CANCEL))


def _control(kind: int, body: bytes) -> bytes:
    return struct.pack(">HHI", 0x8000 | _VERSION, kind, len(body)) + body

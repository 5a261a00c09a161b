"""Streams of bytes that are held to their digest and to a bound while they are read."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from embedded.images.cache import ImageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 20


class Readable(Protocol):
    """A stream as far as it is needed here."""

    def read(self, size: int = ..., /) -> bytes:
        """Return up to `size` bytes; none at the end."""


@dataclass
class Budget:
    """The bytes and files that an image may still unpack to."""

    most_bytes: int = 16 * 1024**3
    most_files: int = 1_000_000

    def spend_bytes(self, count: int, what: str) -> None:
        """Take `count` bytes off. Raises ImageError."""
        self.most_bytes -= count
        if self.most_bytes < 0:
            raise ImageError(f"{what}: unpacks to more bytes than an image may have (16 GiB)")

    def spend_file(self, what: str) -> None:
        """Take one file off. Raises ImageError."""
        self.most_files -= 1
        if self.most_files < 0:
            raise ImageError(f"{what}: unpacks to more files than an image may have (1,000,000)")


class Checked(io.RawIOBase):
    """A stream that is hashed as it is read, and counted against a budget if there is one."""

    def __init__(
        self,
        stream: Readable,
        digest: str,
        what: str,
        *,
        size: int | None = None,
        budget: Budget | None = None,
    ) -> None:
        super().__init__()
        self._stream = stream
        self._digest = digest
        self._size = size
        self._what = what
        self._budget = budget
        self._read = 0
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read into `buffer`. Raises ImageError where there is more than there may be."""
        view = memoryview(buffer).cast("B")
        block = self._stream.read(len(view))
        self._read += len(block)
        if self._size is not None and self._read > self._size:
            raise ImageError(f"{self._what}: is longer than the {self._size} bytes it should have")
        if self._budget is not None:
            self._budget.spend_bytes(len(block), self._what)
        self._hash.update(block)
        view[: len(block)] = block
        return len(block)

    def check(self) -> None:
        """Read the rest and compare. Raises ImageError."""
        buffer = bytearray(_CHUNK)
        while self.readinto(buffer):
            pass
        if self._size is not None and self._read != self._size:
            text = f"is cut off after {self._read} of {self._size} bytes"
            raise ImageError(f"{self._what}: {text}; fetch or write it once more")
        found = f"sha256:{self._hash.hexdigest()}"
        if found != self._digest:
            raise ImageError(
                f"{self._what}: is damaged: its digest is {found}, not {self._digest};"
                " fetch or write it once more"
            )


def read_whole(stream: Readable, digest: str, what: str, *, size: int, most: int) -> bytes:
    """Read a blob of at most `most` bytes into memory. Raises ImageError."""
    if size > most:
        raise ImageError(f"{what}: has {size} bytes, more than the {most} that it may have")
    checked = Checked(stream, digest, what, size=size)
    content = io.BufferedReader(checked).read(size)
    checked.check()
    return content


@contextmanager
def plain(stream: io.RawIOBase | BinaryIO, what: str) -> Iterator[Readable]:
    """Give what a stream holds once it is decompressed, by what it begins with.

    Raises ImageError, also for what the block finds wrong with the compressed form.
    """
    buffered = io.BufferedReader(cast(io.RawIOBase, stream), _CHUNK)
    start = buffered.peek(4)
    wrong: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile)
    if start.startswith(_ZSTD):
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        opened: Readable = zstd.ZstdFile(buffered)
        wrong = (*wrong, zstd.ZstdError)
    elif start.startswith(_GZIP):
        opened = gzip.GzipFile(fileobj=buffered)
    else:
        opened = buffered
    try:
        yield opened
    except wrong as error:
        raise ImageError(f"{what}: is cut off or damaged: {error}") from error
    finally:
        # Whoever has opened the stream closes it.
        buffered.detach()

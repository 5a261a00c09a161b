"""Layers, laid one over the other into a root file system.

Form: https://github.com/opencontainers/image-spec/blob/main/layer.md. Nothing that a layer says is
trusted: paths are resolved below the root by the kernel, and sizes and numbers are bounded.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import tarfile
from collections import Counter
from typing import IO, Any, cast

from embedded.images import owners
from embedded.images.cache import ImageError
from embedded.images.oci.blobs import Budget, Readable
from embedded.images.oci.tree import Tree, status

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_CHUNK = 1 << 20
_READ_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Python reads these into memory whole.
_HEADERS = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
_LARGEST_HEADER = 1 << 18
# What may be read for the headers of one entry; those of a sparse file have no bound of their own.
_HEADERS_OF_ONE = 8 << 20
_DEVICES = {tarfile.CHRTYPE, tarfile.BLKTYPE}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS}
_LARGEST_ID = 2**31 - 2
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
# Where a container has one uid each file is its own: what others may do is of no use to it.
_OWN_DIRECTORY = 0o700
_OWN_FILE = 0o400


class TooLargeError(Exception):
    """A header of an archive is larger than any needs to be."""


class BoundedTarInfo(tarfile.TarInfo):
    """A header whose own size is bounded."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> BoundedTarInfo:
        """Read a header. Raises TooLargeError."""
        info = super().frombuf(buf, encoding, errors)
        if info.size < 0 or (info.type in _HEADERS and info.size > _LARGEST_HEADER):
            raise TooLargeError(f"a header of {info.size} bytes")
        return info


class _Paced:
    """A stream of which no more is read than was allowed."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._left = _HEADERS_OF_ONE

    def allow(self, size: int) -> None:
        self._left = size

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise TooLargeError(f"headers of more than {_HEADERS_OF_ONE} bytes")
        return block


class Unpacker:
    """Lays layers into `tree`. `left_out` counts what an image has and a container here cannot."""

    def __init__(self, tree: Tree, budget: Budget) -> None:
        self.left_out: Counter[str] = Counter()
        self._tree = tree
        self._budget = budget

    def apply(self, layer: Readable, what: str) -> None:
        """Lay the tar archive `layer` over what is there. Raises ImageError, OSError."""
        one = _Layer(self._tree, self._budget, self.left_out, what)
        paced = _Paced(layer)
        try:
            with tarfile.open(
                fileobj=cast(IO[bytes], paced), mode="r|", bufsize=_CHUNK, tarinfo=BoundedTarInfo
            ) as archive:
                while (entry := archive.next()) is not None:
                    paced.allow(entry.size + _HEADERS_OF_ONE)
                    one.add(entry, archive)
                    # Python keeps all that it has seen.
                    archive.members = []  # type: ignore[attr-defined]
        except (tarfile.TarError, ValueError, OverflowError, IndexError) as error:
            raise ImageError(f"{what}: is no tar archive, or damaged: {error}") from error
        except TooLargeError as error:
            raise ImageError(f"{what}: holds {error}; not used") from error
        one.finish()


class _Layer:
    def __init__(self, tree: Tree, budget: Budget, left_out: Counter[str], what: str) -> None:
        self._tree = tree
        self._budget = budget
        self._left_out = left_out
        self._what = what
        # A whiteout hides what lower layers have, wherever in its own layer it stands.
        self._made: set[str] = set()
        self._times: dict[str, float] = {}
        self._owned = owners.several()

    def add(self, entry: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        self._budget.spend_file(self._what)
        path = self._tree.clean(entry.name)
        parent, name = posixpath.split(path)
        try:
            with self._tree.directory(parent, make=True) as (directory, above):
                at = posixpath.join(above, name)
                if name == _OPAQUE:
                    self._empty(directory, above)
                elif name.startswith(_WHITEOUT):
                    hidden = name.removeprefix(_WHITEOUT)
                    if hidden in {"", ".", ".."}:
                        raise ImageError(f"{self._what}: hides {hidden!r}, which leads out")
                    self._remove(directory, hidden, posixpath.join(above, hidden))
                elif name:
                    self._make(entry, archive, directory, name, at)
        except OSError as error:
            if error.errno in _FULL:
                raise
            raise ImageError(f"{self._what}: {path[:200]!r}: {error.strerror}") from error

    def finish(self) -> None:
        """Give directories their times, which what is made in them changes."""
        for path, time in self._times.items():
            try:
                with self._tree.directory(path) as (directory, _):
                    os.utime(".", (time, time), dir_fd=directory)
            except OSError as error:
                # A later entry has put something else in its place.
                if error.errno not in _GONE:
                    raise

    def _make(
        self,
        entry: tarfile.TarInfo,
        archive: tarfile.TarFile,
        directory: int,
        name: str,
        at: str,
    ) -> None:
        if entry.type in _DEVICES or entry.isfifo():
            self._left_out["device nodes and pipes"] += 1
            return
        if entry.mode & (stat.S_ISUID | stat.S_ISGID) and not entry.isdir():
            self._left_out["setuid and setgid bits"] += 1
        there = status(directory, name)
        if there is not None and not (entry.isdir() and stat.S_ISDIR(there.st_mode)):
            self._remove_whole(directory, name)
            there = None
        self._made.add(at)
        # Not before: the name now belongs to this layer, and to no directory of one below.
        self._times.pop(at, None)
        if entry.isdir():
            if there is None:
                os.mkdir(name, dir_fd=directory)
            self._give(entry, directory, name)
            mode = entry.mode & 0o1777 | _OWN_DIRECTORY
            self._change_mode(directory, name, mode)
            self._times[at] = _time(entry)
            return
        if entry.issym():
            os.symlink(entry.linkname, name, dir_fd=directory)
            self._give(entry, directory, name)
        elif entry.islnk():
            self._link(entry, directory, name)
            return
        elif entry.isreg():
            self._write(entry, archive, directory, name)
        else:
            raise ImageError(
                f"{self._what}: {at[:200]!r} is of a kind that no file is: {entry.type!r}"
            )
        times = (_time(entry),) * 2
        os.utime(name, times, dir_fd=directory, follow_symlinks=False)

    def _give(self, entry: tarfile.TarInfo, directory: int, name: str) -> None:
        """Give it to its owner in the box, where there are others than root."""
        if self._owned:
            ids = [owners.on_machine(min(max(n, 0), _LARGEST_ID)) for n in (entry.uid, entry.gid)]
            os.chown(name, *ids, dir_fd=directory, follow_symlinks=False)

    def _change_mode(self, directory: int, name: str, mode: int) -> None:
        handle = os.open(name, _READ_DIRECTORY, dir_fd=directory)
        try:
            os.fchmod(handle, mode)
        finally:
            os.close(handle)

    def _write(
        self, entry: tarfile.TarInfo, archive: tarfile.TarFile, directory: int, name: str
    ) -> None:
        source = archive.extractfile(entry)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(name, flags, 0o600, dir_fd=directory)
        with os.fdopen(handle, "wb", buffering=0) as file:
            written = 0
            while source is not None and (block := source.read(_CHUNK)):
                # A sparse file has more bytes than the archive holds of it.
                if entry.issparse():
                    self._budget.spend_bytes(len(block), self._what)
                written += file.write(block)
            if written != entry.size:
                raise ImageError(f"{self._what}: is cut off within {entry.name[:200]!r}")
            self._give(entry, directory, name)
            os.fchmod(handle, entry.mode & 0o777 | _OWN_FILE)

    def _link(self, entry: tarfile.TarInfo, directory: int, name: str) -> None:
        target = self._tree.clean(entry.linkname)
        parent, base = posixpath.split(target)
        if not base:
            raise ImageError(f"{self._what}: {entry.name[:200]!r} is a hard link to the root")
        with self._tree.directory(parent) as (source, _):
            os.link(base, name, src_dir_fd=source, dst_dir_fd=directory, follow_symlinks=False)

    def _empty(self, directory: int, at: str) -> None:
        inside = os.open(".", _READ_DIRECTORY, dir_fd=directory)
        try:
            for name in _names(inside):
                self._remove(inside, name, posixpath.join(at, name))
        finally:
            os.close(inside)

    def _remove(self, directory: int, name: str, at: str) -> None:
        """Remove what lower layers have of `name`: all that this layer has not made."""
        there = status(directory, name)
        if there is None:
            return
        if not stat.S_ISDIR(there.st_mode):
            if at not in self._made:
                os.unlink(name, dir_fd=directory)
            return
        inside = os.open(name, _READ_DIRECTORY, dir_fd=directory)
        try:
            for child in _names(inside):
                self._remove(inside, child, posixpath.join(at, child))
            empty = not _names(inside)
        finally:
            os.close(inside)
        if empty and at not in self._made:
            os.rmdir(name, dir_fd=directory)

    def _remove_whole(self, directory: int, name: str) -> None:
        there = status(directory, name)
        if there is None:
            return
        if not stat.S_ISDIR(there.st_mode):
            os.unlink(name, dir_fd=directory)
            return
        inside = os.open(name, _READ_DIRECTORY, dir_fd=directory)
        try:
            for child in _names(inside):
                self._remove_whole(inside, child)
        finally:
            os.close(inside)
        os.rmdir(name, dir_fd=directory)


def _names(directory: int) -> list[str]:
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]


def _time(entry: tarfile.TarInfo) -> float:
    # Times are anybody's; the kernel's calls take no more than 64 bits of nanoseconds.
    return min(max(float(entry.mtime), 0.0), float(1 << 32))

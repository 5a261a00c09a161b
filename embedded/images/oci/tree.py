"""A root file system that is being made from what nobody trusts: nothing leads out of it."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.images.cache import ImageError
from embedded.syscalls import open_within

# Far below the kernel's 4096 bytes, and below Python's recursion for whoever removes it.
_LONGEST = 2048
_DEEPEST = 200
_DIRECTORY = os.O_PATH | os.O_DIRECTORY


class Tree:
    """A directory whose paths are resolved by the kernel as if it were the root.

    Symbolic links are followed as a container would, to places in the tree alone. Paths that are
    returned are relative to it, free of links.
    """

    def __init__(self, root: Path, what: str) -> None:
        self._what = what
        self._fd = os.open(root, _DIRECTORY | os.O_CLOEXEC)
        self._prefix = len(_path_of(self._fd).rstrip("/")) + 1

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._fd)

    def clean(self, path: str) -> str:
        """Return `path` without `.` and slashes at its ends; `` is the root. Raises ImageError."""
        parts = [part for part in path.split("/") if part not in {"", "."}]
        if ".." in parts or "\0" in path:
            raise ImageError(f"{self._what}: holds {path[:200]!r}, a path that leads out; not used")
        if len(parts) > _DEEPEST or len(os.fsencode(path)) > _LONGEST:
            raise ImageError(f"{self._what}: holds a path that is too long: {path[:80]!r}…")
        return "/".join(parts)

    @contextmanager
    def directory(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Give a descriptor of a directory, and its path in the tree.

        With `make` directories that are missing are made. Raises OSError, and ImageError for a
        path that is too deep.
        """
        handle = self._open(path, make=make)
        try:
            at = _path_of(handle)[self._prefix :]
            yield handle, self.clean(at)
        finally:
            os.close(handle)

    def _open(self, path: str, *, make: bool) -> int:
        try:
            return open_within(self._fd, path or ".", _DIRECTORY)
        except FileNotFoundError:
            if not make or not path:
                raise
        parent, name = posixpath.split(path)
        above = self._open(parent, make=True)
        try:
            os.mkdir(name, 0o755, dir_fd=above)
        finally:
            os.close(above)
        return open_within(self._fd, path, _DIRECTORY)

    def text(self, path: str, most: int = 1 << 20) -> str:
        """Return the beginning of a text file; nothing where there is no such file."""
        try:
            handle = open_within(self._fd, path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return ""
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return ""
            return file.read(most).decode(errors="replace")


def _path_of(handle: int) -> str:
    return str(Path(f"/proc/self/fd/{handle}").readlink())


def status(directory: int, name: str) -> os.stat_result | None:
    """Return what is at `name`, which is not followed; None where nothing is."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None

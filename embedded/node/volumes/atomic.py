"""Files of a volume, replaced all at once.

The layout is a kubelet's: files live in a directory of their own, `..data` points to it, and each
visible name points through `..data`. Renaming a new `..data` over the old one changes every file in
one step, and a reader that polls the directory's time stamp sees it change.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

DATA = "..data"


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a volume; `user` is its owner, None for who writes it."""

    data: bytes
    mode: int
    user: int | None = None


class InvalidPathError(Exception):
    """A file would lie outside of its volume; the message is a kubelet's."""

    def __init__(self, why: str, path: str) -> None:
        super().__init__(f"invalid path: {why}: {path}")


class AtomicDirectory:
    """The directory of one volume. `write` is a no-op when nothing differs.

    `give` is called for each directory of new files before they are seen.
    """

    def __init__(self, path: Path, give: Callable[[Path], None] = lambda _: None) -> None:
        self.path = path
        self._give = give
        self._content: dict[str, File] | None = None
        path.mkdir(mode=0o755, parents=True, exist_ok=True)

    def write(self, content: Mapping[str, File]) -> bool:
        """Make `content` (paths relative to the volume) what is seen; False if it already was.

        Raises InvalidPathError, before anything is written; OSError.
        """
        if self._content == content:
            return False
        for name in content:
            _check(name)
        fresh = Path(tempfile.mkdtemp(prefix="..", dir=self.path))
        fresh.chmod(0o755)
        for name, file in content.items():
            _write_file(fresh / name, file)
        self._give(fresh)
        old = self._swap(fresh)
        self._link({PurePosixPath(name).parts[0] for name in content})
        if old is not None:
            shutil.rmtree(old)
        self._content = dict(content)
        return True

    def _swap(self, fresh: Path) -> Path | None:
        data, new = self.path / DATA, self.path / "..data_tmp"
        old = self.path / data.readlink() if data.is_symlink() else None
        new.symlink_to(fresh.name)
        new.replace(data)
        return old

    def _link(self, names: set[str]) -> None:
        present = {p.name for p in self.path.iterdir() if not p.name.startswith("..")}
        for name in names - present:
            (self.path / name).symlink_to(f"{DATA}/{name}")
        for name in present - names:
            (self.path / name).unlink()


def _check(name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts:
        raise InvalidPathError("must not be empty", repr(name))
    if parts[0] == "/":
        raise InvalidPathError("must be relative path", name)
    if ".." in parts:
        raise InvalidPathError("must not contain '..'", name)
    if parts[0].startswith(".."):
        raise InvalidPathError("must not start with '..'", name)


def _write_file(path: Path, file: File) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(file.data)
        if file.user is not None:
            os.fchown(descriptor, file.user, -1)
        os.fchmod(descriptor, file.mode)

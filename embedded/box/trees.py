"""Directories that processes of the box must reach, and what covers the way to them.

Two things hide a directory. /run of the box is a fresh one, which keeps the host's services out of
sight. And in root mode the box's root is an ordinary uid outside, which may not enter /root. So
whatever hides is covered by an empty tmpfs, in which only the wanted trees are put back, at the
paths that they have outside.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from embedded import syscalls
from embedded.images.cache import cache_directory

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A directory that is seen in the box at its own path."""

    path: Path
    writable: bool = False


def interpreter_trees() -> tuple[Tree, ...]:
    """Return what this Python and this package are made of, with the links on the way."""
    executable = Path(sys.executable)
    found = {REPOSITORY, Path(sys.prefix), Path(sys.base_prefix)}
    while executable.is_symlink():
        # venv/bin/python may point to a link in another directory, which points on.
        target = executable.parent / executable.readlink()
        found.add(target.parent.parent)
        executable = target
    found |= {path.resolve() for path in found}
    return tuple(Tree(path=path) for path in sorted(found))


def closed_ancestors(path: Path) -> tuple[Path, ...]:
    """Return the directories on the way to `path` that others may not search, topmost first."""
    return tuple(a for a in reversed(path.parents) if not a.stat().st_mode & stat.S_IXOTH)


def cover(top: Path, trees: Iterable[Tree]) -> None:
    """Mount an empty tmpfs over `top`, and put back the `trees` that lie under it.

    Raises OSError.
    """
    inside = sorted((t for t in trees if t.path.is_relative_to(top)), key=lambda t: t.path)
    held = [(tree, os.open(tree.path, os.O_PATH | os.O_CLOEXEC)) for tree in inside]
    syscalls.mount("tmpfs", str(top), "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=755")
    for tree, descriptor in held:
        _put_back(tree, descriptor)
        os.close(descriptor)


def _put_back(tree: Tree, descriptor: int) -> None:
    target = str(tree.path)
    # Of one that lies within another, the directory is there already.
    tree.path.mkdir(parents=True, exist_ok=True)
    syscalls.mount(f"/proc/self/fd/{descriptor}", target, "", syscalls.MS_BIND | syscalls.MS_REC)
    if not tree.writable:
        flags = syscalls.MS_BIND | syscalls.MS_REMOUNT | syscalls.MS_RDONLY | _kept_flags(target)
        syscalls.mount("", target, "", flags)


def _kept_flags(target: str) -> int:
    # A remount that would lift a restriction of the original mount is refused (mount(2), EPERM).
    state = os.statvfs(target).f_flag
    return state & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC)


def bytecode_directory() -> Path:
    """Return where the box of root mode keeps compiled Python."""
    return cache_directory() / "bytecode"

"""Mount points of volumes, which never lead out of a container.

bwrap takes a target as the kernel does, while the box is in sight still: `..`, or a link that a
container left in a volume, would have it make directories there.
"""

from __future__ import annotations

import errno
import os
import posixpath
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from embedded.runtime.model import Bind, BoxError

# As many as the kernel follows: path_resolution(7).
_LINKS = 40
_PROC = "/proc"


def within(root: Path, binds: Iterable[Bind]) -> Iterator[tuple[Bind, str]]:
    """Give each of `binds`, in their order, with the path that its target is in the container.

    `root` is the container's. Links are followed as from inside. Raises BoxError for a target that
    cannot be followed, or leads below /proc, whose links lead anywhere.
    """
    seen = [("/", root)]
    for bind in binds:
        try:
            target = _followed(bind.target, seen)
        except OSError as error:
            raise BoxError(f"volume at {bind.target}: {error.strerror}") from error
        if target == _PROC or target.startswith(f"{_PROC}/"):
            raise BoxError(f"volume at {bind.target}: nothing can be mounted below {_PROC}")
        seen.append((target, bind.source))
        yield bind, target


def _followed(target: str, seen: list[tuple[str, Path]]) -> str:
    at = "/"
    links = 0
    left = deque(target.split("/"))
    while left:
        step = posixpath.normpath(posixpath.join(at, left.popleft()))
        link = _link(step, seen)
        if link is None:
            at = step
            continue
        links += 1
        if links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        at = "/" if link.startswith("/") else at
        left.extendleft(reversed(link.split("/")))
    return at


def _link(path: str, seen: list[tuple[str, Path]]) -> str | None:
    """Return what the link at `path` in the container says; None where there is none."""
    above, source = next(
        (above, source)
        for above, source in reversed(seen)
        if posixpath.commonpath((path, above)) == above
    )
    below = source / posixpath.relpath(path, above)
    return str(below.readlink()) if below.is_symlink() else None

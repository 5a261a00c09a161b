"""The users of a box: which numbers there are, and the user namespaces of containers.

Where the box has several, each container runs in a namespace in which all have the numbers that
they have in the box, and bwrap enters it as the container's own user. Where it has one, bwrap gives
that one the number that the container wants.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from embedded import syscalls

_MAP = Path("/proc/self/uid_map")
# As a kubelet's pause.
_PAUSE = 65535


@dataclass(frozen=True, kw_only=True)
class Ids:
    """Numbers of users, and of groups: pairs of a first one and how many there are from it."""

    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def here(cls) -> Ids:
        """Return those of this process's user namespace."""
        lines = (line.split() for line in _MAP.read_text().splitlines())
        return cls(ranges=tuple((int(first), int(count)) for first, _, count in lines))

    def __str__(self) -> str:
        joined: list[tuple[int, int]] = []
        for first, count in sorted(self.ranges):
            begins = joined.pop()[0] if joined and joined[-1][1] + 1 == first else first
            joined.append((begins, first + count - 1))
        return ", ".join(f"{first} to {last}" for first, last in joined)

    @property
    def several(self) -> bool:
        """Whether there is more than root."""
        return sum(count for _, count in self.ranges) > 1

    def __contains__(self, number: int) -> bool:
        return any(first <= number < first + count for first, count in self.ranges)

    @property
    def pause(self) -> int:
        """The user of a Pod's pause."""
        return _PAUSE if _PAUSE in self else max(first for first, _ in self.ranges)

    @property
    def identity(self) -> str:
        """The map of a namespace in which each has the number that it has here.

        The kernel takes no range that is two in the map of this one.
        """
        return "".join(f"{first} {first} {count}\n" for first, count in self.ranges)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Numbers that a program runs with: of its user and group, and of the groups besides.

    `streams` is the user whose its standard streams become, and `capabilities` are numbers of
    those that it may have, as root only.
    """

    uid: int
    gid: int
    groups: tuple[int, ...]
    streams: int
    capabilities: tuple[int, ...] = ()

    def take(self) -> None:
        """Give this process these numbers. Raises OSError."""
        os.setgroups(self.groups)
        os.setresgid(self.gid, self.gid, self.gid)
        os.setresuid(self.uid, self.uid, self.uid)


def new_namespace(ids: Ids, owner: int) -> int:
    """Make a user namespace with all of `ids`, which `owner` may enter; returns a descriptor.

    This process has a single thread. Raises OSError.
    """
    ready_end, ready = os.pipe()
    waiting, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        _wait_inside(owner, ready, waiting, done)
    try:
        os.close(ready)
        os.close(waiting)
        if not os.read(ready_end, 1):
            raise OSError(f"no user namespace for user {owner}")
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}/{name}").write_text(ids.identity)
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(done)
        os.close(ready_end)
        os.waitpid(pid, 0)


def _wait_inside(owner: int, ready: int, waiting: int, done: int) -> NoReturn:
    # Whatever happens, a child must not go on; its parent sees that it said nothing.
    with suppress(BaseException):
        os.close(done)
        os.setresgid(owner, owner, owner)
        os.setresuid(owner, owner, owner)
        syscalls.unshare(syscalls.NEWUSER)
        syscalls.set_dumpable()
        os.write(ready, b"\n")
        os.read(waiting, 1)
    os._exit(0)

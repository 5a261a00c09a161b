"""Owners and modes of the files of volumes, as a kubelet gives them.

They are root's, and with `fsGroup` that group's, which may read what a volume shows and write what
it keeps: Kubernetes documentation, "Configure a Security Context for a Pod". Where the box has one
user all files belong to it: there the owner's rights are those that the container would have.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

_READ, _WRITE, _ENTER = 0o440, 0o660, 0o110
_TOKEN = 0o600
_CLAIM = 0o755
_ANYBODYS = 0o777


class Rights(IntEnum):
    """Whose rights a user has to what is root's; the number is their place in a mode."""

    OWNER = 6
    GROUP = 3
    OTHERS = 0


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """The owners of one Pod's volumes.

    `several` says whether the box has several users, and `rights` what the one that it has would
    have on a node. `group` is the Pod's fsGroup, `user` the one that all of its containers are told
    to run as. With `once` what a volume keeps is given to the group where its top is not yet.
    """

    several: bool = False
    rights: Rights = Rights.OWNER
    group: int | None = None
    user: int | None = None
    once: bool = False

    @property
    def token_user(self) -> int | None:
        """The owner of the token of a service account; None for root."""
        return self.user if self.several else None

    def mode(self, given: int) -> int:
        """Return the mode of a file that a Pod is shown, of which a volume says `given`."""
        if self.several:
            return given
        mode = given if self.group is None else given | _READ
        mine = (mode >> self.rights & 0o7) << Rights.OWNER
        # Servers take no key of their own that the group may read.
        return mine | mode & 0o077 if mode & 0o007 else mine

    def token_mode(self, given: int) -> int:
        """Return the mode of the token of a service account, likewise."""
        if self.user is not None and not self.several:
            return _TOKEN
        private = self.group is not None or self.user is not None
        return self.mode(_TOKEN if private else given)

    def give_shown(self, directory: Path) -> None:
        """Give a directory that a Pod is shown, and all in it, to the group."""
        if self.several and self.group is not None:
            for path in _all(directory):
                _give(path, self.group, _READ)

    def make_empty(self, directory: Path) -> None:
        """Make the directory of an emptyDir."""
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(_ANYBODYS)
        self.give_kept(directory)

    def make_claim(self, directory: Path) -> None:
        """Make the directory of a claim, if it is not there, as a fresh disk is."""
        if not directory.exists():
            directory.mkdir()
            directory.chmod(_CLAIM if self.several else _ANYBODYS)

    def give_kept(self, directory: Path) -> None:
        """Give what a volume keeps to the group. Raises OSError."""
        if not self.several or self.group is None:
            return
        if self.once and self._has(directory):
            return
        for path in _all(directory):
            _give(path, self.group, _WRITE)

    def _has(self, directory: Path) -> bool:
        found = directory.stat()
        wanted = _WRITE | _ENTER | stat.S_ISGID
        return found.st_gid == self.group and found.st_mode & wanted == wanted


def _all(top: Path) -> Iterator[Path]:
    yield top
    for directory, directories, files in os.walk(top):
        for name in (*directories, *files):
            yield Path(directory, name)


def _give(path: Path, group: int, mask: int) -> None:
    found = path.lstat()
    os.chown(path, -1, group, follow_symlinks=False)
    if stat.S_ISLNK(found.st_mode):
        return
    if stat.S_ISDIR(found.st_mode):
        mask |= _ENTER | stat.S_ISGID
    path.chmod(stat.S_IMODE(found.st_mode) | mask)

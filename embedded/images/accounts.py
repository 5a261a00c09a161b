"""The accounts of an image: its /etc/passwd and /etc/group, as a container runtime reads them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from embedded.images.model import Image
from embedded.syscalls import open_within

_MOST = 1 << 20  # bytes that are read of either


def primary_group(image: Image, uid: int) -> int:
    """Return the group of the account with `uid`; 0 where there is none."""
    return next((account[3] for account in _users(image) if account[2] == uid), 0)


def groups_of(image: Image, uid: int) -> tuple[int, ...]:
    """Return the groups of which the account with `uid` is a member besides its own."""
    names = {account[0] for account in _users(image) if account[2] == uid}
    return tuple(gid for gid, members in _groups(image) if names & members)


def _users(image: Image) -> Iterator[tuple[str, str, int, int]]:
    for line in _text(image, "etc/passwd").splitlines():
        match line.split(":"):
            case [name, password, uid, gid, *_] if uid.isdecimal() and gid.isdecimal():
                yield name, password, int(uid), int(gid)


def _groups(image: Image) -> Iterator[tuple[int, frozenset[str]]]:
    for line in _text(image, "etc/group").splitlines():
        match line.split(":"):
            case [_, _, gid, members, *_] if gid.isdecimal():
                yield int(gid), frozenset(members.split(","))


def _text(image: Image, path: str) -> str:
    """Return a file of the topmost layer that has it, with its links kept inside of that layer."""
    for layer in image.layers:
        top = os.open(layer, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            handle = open_within(top, path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue
        finally:
            os.close(top)
        with os.fdopen(handle, "rb") as file:
            if stat.S_ISREG(os.fstat(handle).st_mode):
                return file.read(_MOST).decode(errors="replace")
    return ""

"""Owners of files in root's cache, and of root's box: the box's numbers as the machine has them.

The box's root is an ordinary user outside. All others are numbers that nobody has.
"""

from __future__ import annotations

import os
from pathlib import Path

# In root mode the box is a user namespace in which this host uid is root.
BOX_UID = 60000
# Number N of the box, unless it is root, is this and N: up to the kernel's last.
_OTHERS = 2**31
_COUNT = 2**31 - 2
ONE_USER = f"0 {BOX_UID} 1\n"
"""The map of a box of root's that has one user."""
ALL_USERS = f"{ONE_USER}1 {_OTHERS + 1} {_COUNT}\n"
"""The map of one that has all that a Pod may ask for."""
_MAP = Path("/proc/self/uid_map")


def several() -> bool:
    """Say whether we may give files to any user: root, where numbers have not been cut.

    They have been in most containers without privileges.
    """
    if os.geteuid() != 0:
        return False
    lines = (map(int, line.split()) for line in _MAP.read_text().splitlines())
    return any(first == 0 and count >= _OTHERS + _COUNT for first, _, count in lines)


def on_machine(number: int) -> int:
    """Return the machine's number for `number` of the box."""
    return _OTHERS + number if number else BOX_UID


def is_boxs(number: int) -> bool:
    """Say whether a number of the machine is of a user of the box that is not root."""
    return number > _OTHERS

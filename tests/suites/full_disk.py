"""Fill the disk of a box: `python -m tests.suites.full_disk PID`, by the pid of any process in it.

What a box writes lies in its memory file system, which is made as small as what is in it by now.
"""

from __future__ import annotations

import os
import sys

from embedded.box import system
from embedded.box.world import RUN

_LEFT = 16 * 4096
"""A little room: a disk is seldom full to the last byte."""


def main() -> None:
    """Enter the box, and leave no room."""
    entries = [f"/proc/{sys.argv[1]}/ns/{kind}" for kind in ("user", "mnt")]
    for descriptor in [os.open(entry, os.O_RDONLY | os.O_CLOEXEC) for entry in entries]:
        system.setns(descriptor)
    state = os.statvfs(RUN)
    size = (state.f_blocks - state.f_bfree) * state.f_frsize + _LEFT
    flags = system.MS_REMOUNT | system.MS_NOSUID | system.MS_NODEV
    system.mount("tmpfs", str(RUN), "tmpfs", flags, f"size={size}")


if __name__ == "__main__":
    main()

"""Leave a box little room on its disk: `python -m tests.suites.small_disk PID`, of a process in it.

All that a box writes lies in a memory file system of its own, the data of databases too.
"""

from __future__ import annotations

import os
import sys

from embedded import syscalls
from embedded.box.namespaces import RUN

_ROOM = 8 * 1024 * 1024
"""Less than one database takes, and more than all else does."""


def main() -> None:
    """Enter the box, and bound its disk."""
    entries = [f"/proc/{sys.argv[1]}/ns/{kind}" for kind in ("user", "mnt")]
    for descriptor in [os.open(entry, os.O_RDONLY | os.O_CLOEXEC) for entry in entries]:
        syscalls.setns(descriptor)
    state = os.statvfs(RUN)
    size = (state.f_blocks - state.f_bfree) * state.f_frsize + _ROOM
    flags = syscalls.MS_REMOUNT | syscalls.MS_NOSUID | syscalls.MS_NODEV
    syscalls.mount("tmpfs", str(RUN), "tmpfs", flags, f"size={size}")


if __name__ == "__main__":
    main()

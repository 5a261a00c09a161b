"""Run a command as an ordinary user: `python -m tests.embedded.box.as_user UID COMMAND…`.

For tests that run as root. What this Python and this repository are made of may lie under root's
home, which the user cannot enter: so they are shown to it, in mounts of its own.
"""

from __future__ import annotations

import os
import sys

from embedded import syscalls
from embedded.box.trees import closed_ancestors, cover, interpreter_trees


def main() -> None:
    """Become that user, and then the command."""
    uid, command = int(sys.argv[1]), sys.argv[2:]
    syscalls.unshare(syscalls.NEWNS)
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    trees = interpreter_trees()
    for top in sorted({top for tree in trees for top in closed_ancestors(tree.path)}):
        cover(top, trees)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    os.execvpe(command[0], command, os.environ)


if __name__ == "__main__":
    main()

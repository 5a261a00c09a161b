"""Run the platform with an empty cache: `python -m tests.embedded.box.fresh_cache DIR ARGUMENT…`.

The arguments are those of `python -m embedded`. DIR is where the cache comes to lie.
"""

from __future__ import annotations

import os
import sys

from embedded import syscalls
from embedded.images.cache import cache_directory


def main() -> None:
    """Become the platform."""
    directory, arguments = sys.argv[1], sys.argv[2:]
    if os.geteuid() == 0:
        # Root's place is the system's own, so it is covered, in mounts that nobody else sees.
        syscalls.unshare(syscalls.NEWNS)
        syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
        syscalls.mount(directory, str(cache_directory()), "", syscalls.MS_BIND)
    else:
        os.environ["XDG_CACHE_HOME"] = directory
    os.execv(sys.executable, [sys.executable, "-m", "embedded", *arguments])


if __name__ == "__main__":
    main()

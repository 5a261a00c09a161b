"""Run the platform with an empty cache: `python -m tests.embedded.box.fresh_cache DIR ARGUMENT…`.

The arguments are those of `python -m embedded`. DIR is where the cache comes to lie.
"""

from __future__ import annotations

import os
import sys

from embedded.box import system
from embedded.images.cache import cache_directory


def main() -> None:
    """Become the platform."""
    directory, arguments = sys.argv[1], sys.argv[2:]
    if os.geteuid() == 0:
        # Root's place is the system's own, so it is covered, in mounts that nobody else sees.
        system.unshare(system.NEWNS)
        system.mount("", "/", "", system.MS_REC | system.MS_PRIVATE)
        system.mount(directory, str(cache_directory()), "", system.MS_BIND)
    else:
        os.environ["XDG_CACHE_HOME"] = directory
    os.execv(sys.executable, [sys.executable, "-m", "embedded", *arguments])


if __name__ == "__main__":
    main()

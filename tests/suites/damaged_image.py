"""Run a command where the image of PostgreSQL is damaged: `python -m tests.suites.damaged_image
FOLDER COMMAND…`.

A library that only the server loads is cut short, as by a copy that was broken off. The cache
itself stays whole: the damage is an overlay in mounts of the command's own, made in FOLDER.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from embedded import syscalls
from embedded.images import store
from embedded.images.cache import cache_directory
from reference.images.postgresql import postgresql

LIBRARY = "libxml2.so.2"


def main() -> None:
    """Damage the image, and become the command."""
    folder, command = Path(sys.argv[1]), sys.argv[2:]
    root = _image()
    _damage(root, folder)
    _own_mounts()
    syscalls.mount("overlay", str(root), "overlay", options=f"lowerdir={folder}:{root}")
    os.execvpe(command[0], command, os.environ)


def _image() -> Path:
    release = store.host_release()
    image = store.ensure(postgresql(release), release, cache_directory())
    # A user's cache may lead to another's.
    return image.layers[0].resolve()


def _damage(root: Path, folder: Path) -> None:
    library = next(root.glob(f"usr/lib/*/{LIBRARY}")).resolve().relative_to(root)
    (folder / library).parent.mkdir(parents=True)
    for directory in (folder, *(folder / parent for parent in library.parents)):
        directory.chmod(0o755)
    (folder / library).touch(0o644)


def _own_mounts() -> None:
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        syscalls.unshare(syscalls.NEWNS)
    else:
        syscalls.unshare(syscalls.NEWUSER | syscalls.NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1\n")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1\n")
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)


if __name__ == "__main__":
    main()

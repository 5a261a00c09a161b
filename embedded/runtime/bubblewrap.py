"""The command line that makes a container."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from embedded.runtime import targets
from embedded.runtime.model import ProcessSpec

# Numbers of the two descriptors that bwrap and its child are given.
INFO, READY = 3, 4
# Inside, READY is closed just before the program runs; bwrap's own copy is closed by then.
_ANNOUNCE = ("/bin/sh", "-c", f'exec {READY}>&-; exec "$@"', "sh")


def command(spec: ProcessSpec) -> list[str]:
    """Return the command line for `spec`; the options are explained in bwrap(1).

    Raises BoxError for a target of a volume that cannot be had.
    """
    return ["bwrap", *_isolation(spec), *_files(spec), *_surroundings(spec), "--", *_program(spec)]


def announces(spec: ProcessSpec) -> bool:
    """Say whether READY tells when the container is complete; that takes a shell in the image."""
    return os.path.lexists(spec.root.path / "bin/sh")


def child_pid(info: bytes) -> int:
    """Read what bwrap writes to INFO. Raises ValueError or KeyError."""
    pid: int = json.loads(info)["child-pid"]
    return pid


def _isolation(spec: ProcessSpec) -> Iterator[str]:
    yield from ("--unshare-user", "--unshare-pid", "--as-pid-1", "--die-with-parent")
    yield from ("--cap-drop", "ALL")
    yield from ("--uid", str(spec.uid), "--gid", str(spec.gid))
    yield from ("--info-fd", str(INFO))


def _files(spec: ProcessSpec) -> Iterator[str]:
    yield from ("--bind", str(spec.root.path), "/")
    # The box's root may write the settings of its own namespaces; a container may write none.
    yield from ("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev")
    for bind, target in targets.within(spec.root.path, spec.binds):
        yield from ("--ro-bind" if bind.read_only else "--bind", str(bind.source), target)
    if spec.read_only_root:
        yield from ("--remount-ro", "/")


def _surroundings(spec: ProcessSpec) -> Iterator[str]:
    yield "--clearenv"
    for name, value in spec.env.items():
        yield from ("--setenv", name, value)
    yield from ("--chdir", spec.cwd)


def _program(spec: ProcessSpec) -> tuple[str, ...]:
    return (*_ANNOUNCE, *spec.argv) if announces(spec) else spec.argv

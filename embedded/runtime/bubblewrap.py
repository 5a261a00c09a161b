"""The command lines of containers, and of the pause of a Pod whose containers share processes.

Where they do, each container enters the pid namespace of the pause, and the user namespace in which
the pause runs; only in the one above, which owns the pid namespace, can /proc be mounted.

In a box of several users bwrap enters a namespace of all of them, as the container's own user: one
that it changed to would not end with its parent. Beside a pause, which gives it that namespace,
nothing is bound to a parent, and bwrap changes from the pause's user.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from embedded.runtime import targets
from embedded.runtime.model import ProcessNamespace, ProcessSpec

# Numbers of the descriptors that bwrap and its child are given: two, and more to enter a namespace.
INFO, READY = 3, 4
PIDS, OWNER, USER, GATE = 5, 6, 7, 8
# Inside, READY is closed just before the program runs; bwrap's own copy is closed by then.
_ANNOUNCE = ("/bin/sh", "-c", f'exec {READY}>&-; exec "$@"', "sh")
# bwrap leaves open what it has entered. Without a shell that closes it the program has it, but not
# the capability that entering takes.
_ANNOUNCE_ENTERED = (
    *("/bin/sh", "-c"),
    f'exec {READY}>&- {PIDS}<&- {OWNER}<&- {USER}<&-; exec "$@"',
    "sh",
)
# The pause's programs. A container may end each process called sleep: this one has the name that it
# has elsewhere. Where pid 1 ignores SIGCHLD, the kernel takes its orphans away.
_PAUSE, _SLEEP, _ENV = "/dev/pause", "/bin/sleep", "/usr/bin/env"
_PAUSING = (
    *("/bin/sh", "-c"),
    f"exec {READY}>&- {OWNER}<&-; exec {_ENV} --ignore-signal=CHLD {_PAUSE} infinity",
)


def command(spec: ProcessSpec, *, several: bool) -> list[str]:
    """Return the command line for `spec`; the options are explained in bwrap(1).

    `several` says whether the box has several users. Raises BoxError for a target of a volume that
    cannot be had.
    """
    parts = _isolation(spec, several), _files(spec), _surroundings(spec)
    return ["bwrap", *(word for part in parts for word in part), "--", *_program(spec, several)]


def pause_command(root: Path, uid: int, gid: int, *, several: bool) -> list[str]:
    """Return the command line of a pause on `root`, on which it cannot write.

    Of several users it is the one that bwrap is run as.
    """
    user = _of_several() if several else _alone(uid, gid)
    return [
        *("bwrap", *user, *_own_processes(), *_unprivileged()),
        *("--bind", str(root), "/", *_systems(), "--symlink", _SLEEP, _PAUSE, "--remount-ro", "/"),
        *("--clearenv", "--chdir", "/", "--", *_PAUSING),
    ]


def can_pause(root: Path) -> bool:
    """Say whether the programs of a pause are on `root`.

    One that is several in one would not know itself by the pause's name.
    """
    programs = [root / name.lstrip("/") for name in (_SLEEP, _ENV)]
    own = all(p.is_file() and p.resolve().name == p.name for p in programs)
    return own and os.path.lexists(root / "bin/sh")


def announces(spec: ProcessSpec) -> bool:
    """Say whether READY tells when the container is complete; that takes a shell in the image."""
    return os.path.lexists(spec.root.path / "bin/sh")


def child_pid(info: bytes) -> int:
    """Read what bwrap writes to INFO. Raises ValueError or KeyError."""
    pid: int = json.loads(info)["child-pid"]
    return pid


def _isolation(spec: ProcessSpec, several: bool) -> Iterator[str]:
    if spec.processes is None:
        yield from _of_several() if several else _alone(spec.uid, spec.gid)
        yield from (*_own_processes(), *_unprivileged(spec))
    else:
        yield from _shared_processes(spec.processes)
        if several:
            yield from _user(spec.uid, spec.gid)
        yield from _unprivileged(spec)
        if not spec.tty:
            yield "--new-session"


def _of_several() -> Iterator[str]:
    yield from ("--userns", str(OWNER))


def _alone(uid: int, gid: int) -> Iterator[str]:
    yield from ("--unshare-user", *_user(uid, gid))


def _own_processes() -> Iterator[str]:
    yield from ("--unshare-pid", "--as-pid-1", "--die-with-parent")


def _shared_processes(processes: ProcessNamespace) -> Iterator[str]:
    # Without --die-with-parent: the parent that it would be bound to is one that bwrap has on the
    # way only. The gate keeps the program from starting before it is known.
    yield from ("--userns", str(OWNER), "--pidns", str(PIDS), "--block-fd", str(GATE))
    if processes.user is not None:
        yield from ("--userns2", str(USER))


def _unprivileged(spec: ProcessSpec | None = None) -> Iterator[str]:
    yield from ("--cap-drop", "ALL", "--info-fd", str(INFO))
    for capability in spec.capabilities if spec is not None else ():
        yield from ("--cap-add", f"CAP_{capability.name}")


def _user(uid: int, gid: int) -> Iterator[str]:
    yield from ("--uid", str(uid), "--gid", str(gid))


def _systems() -> Iterator[str]:
    # The box's root may write the settings of its own namespaces; a container may write none.
    yield from ("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev")


def _files(spec: ProcessSpec) -> Iterator[str]:
    yield from ("--bind", str(spec.root.path), "/", *_systems())
    for bind, target in targets.within(spec.root.path, spec.binds):
        yield from ("--ro-bind" if bind.read_only else "--bind", str(bind.source), target)
    if spec.read_only_root:
        yield from ("--remount-ro", "/")


def _surroundings(spec: ProcessSpec) -> Iterator[str]:
    yield "--clearenv"
    for name, value in spec.env.items():
        yield from ("--setenv", name, value)
    yield from ("--chdir", spec.cwd)


def _program(spec: ProcessSpec, several: bool) -> tuple[str, ...]:
    if not announces(spec):
        return spec.argv
    entered = several or spec.processes is not None
    return (*(_ANNOUNCE_ENTERED if entered else _ANNOUNCE), *spec.argv)

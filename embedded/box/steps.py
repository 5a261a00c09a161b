"""The steps of making a box, and what to do where the system refuses one."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: what it is called, a command that tries it alone, and how to allow it."""

    name: str
    probe: str
    remedy: str


APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_CONTAINER = "a container refuses this: start it with --privileged, or use kind"

OWNER = Step(
    name="giving a file to another user",
    probe="sh -c 'f=$(mktemp) && chown 60000 $f'",
    remedy=f"run as an ordinary user, which gives nothing away; {_CONTAINER}",
)
USER = Step(
    name="user namespace",
    probe="unshare -Ur true",
    remedy=(
        "run as root, or allow it: sysctl kernel.unprivileged_userns_clone=1 "
        "kernel.apparmor_restrict_unprivileged_userns=0 user.max_user_namespaces=10000; "
        + _CONTAINER
    ),
)
OTHER_USER = Step(
    name="user namespace of another user",
    probe="unshare -U true && setpriv --reuid 60000 --regid 60000 --clear-groups true",
    remedy=f"sysctl user.max_user_namespaces=10000, or run as an ordinary user; {_CONTAINER}",
)
MOUNTS = Step(name="mount namespace", probe="unshare -Urm true", remedy=_CONTAINER)
NETWORK = Step(
    name="network namespace",
    probe="unshare -Urn true",
    remedy=f"sysctl user.max_net_namespaces=10000; {_CONTAINER}",
)
PIDS = Step(name="pid namespace", probe="unshare -Urpf true", remedy=_CONTAINER)
PROC = Step(name="mount of /proc", probe="unshare -Urpf --mount-proc true", remedy=_CONTAINER)
MEMORY = Step(
    name="mount of a tmpfs", probe="unshare -Urm mount -t tmpfs none /run", remedy=_CONTAINER
)
BRIDGE = Step(
    name="network bridge",
    probe="unshare -Urn ip link add br9 type bridge",
    remedy="load the kernel modules bridge and veth: modprobe bridge veth",
)
OVERLAY = Step(
    name="overlay mount",
    probe="unshare -Urm sh -c 'mount -t tmpfs none /run && cd /run && mkdir l u w m && "
    "mount -t overlay -o lowerdir=l,upperdir=u,workdir=w,userxattr none m'",
    remedy="it takes Linux 5.11 or newer with overlayfs: modprobe overlay",
)
CONTAINER = Step(
    name="container in the box",
    probe="unshare -Ur bwrap --unshare-all --ro-bind / / true",
    remedy=_CONTAINER,
)


def refusal(step: Step, reason: str, restriction: Path = APPARMOR) -> str:
    """Return the one line that says what was refused and what to do.

    `restriction` is the kernel's setting by which AppArmor takes the privileges of a user
    namespace away: whatever step then fails, that is the reason.
    """
    text = f"embedded: no box on this machine: {step.name} refused ({' '.join(reason.split())}). "
    remedy = step.remedy
    if restriction.exists() and restriction.read_text().strip() != "0":
        remedy = (
            "AppArmor restricts user namespaces here, as on Ubuntu 24.04: sudo sysctl "
            f"kernel.apparmor_restrict_unprivileged_userns=0; if that is not it, {remedy}"
        )
    return f"{text}Try it alone: {step.probe}. To allow it: {remedy}"


@contextmanager
def step(this: Step, reports: int) -> Iterator[None]:
    """Name `this` on the descriptor `reports`, as a JSON line, when the block raises OSError."""
    try:
        yield
    except OSError as error:
        reason = str(error)
        if error.errno == errno.ENOSPC:
            reason = "the limit of namespaces is reached, see sysctl user"
        os.write(reports, json.dumps({"refused": refusal(this, reason)}).encode() + b"\n")
        raise

"""Steps of the spawner in a Pod's namespaces, which it enters for a moment.

Only a process with a single thread may do so.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded import syscalls

_KINDS = {"net": syscalls.NEWNET, "ipc": syscalls.NEWIPC, "uts": syscalls.NEWUTS}
_SETTINGS = {
    "net/ipv4/ip_unprivileged_port_start": "0",
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
}


class HomeNamespaces:
    """The spawner's own namespaces, to which it returns."""

    def __init__(self) -> None:
        self._own = [(_open(name), flag) for name, flag in _KINDS.items()]
        self._own_pids = _open("pid")

    @contextmanager
    def returning(self) -> Iterator[None]:
        """Return to them at the end of the block."""
        try:
            yield
        finally:
            for descriptor, flag in self._own:
                syscalls.setns(descriptor, flag)

    @contextmanager
    def forking_into(self, container: int) -> Iterator[None]:
        """Make the children of the block in the pid namespace of `container`, a pidfd.

        They stay children of this process. Raises OSError where the container has ended.
        """
        syscalls.setns(container, syscalls.NEWPID)
        try:
            yield
        finally:
            syscalls.setns(self._own_pids, syscalls.NEWPID)

    def new_sandbox(self, hostname: str) -> list[int]:
        """Make the namespaces of a Pod; returns descriptors of net, ipc and uts. Raises OSError."""
        with self.returning():
            for flag in _KINDS.values():
                syscalls.unshare(flag)
            syscalls.set_hostname(hostname)
            for name, value in _SETTINGS.items():
                write_setting(name, value)
            return [_open(name) for name in _KINDS]

    def socket_in(self, net: int, family: int, kind: int, protocol: int) -> socket.socket:
        """Make a socket that belongs to the network namespace `net`. Raises OSError."""
        with self.returning():
            syscalls.setns(net, syscalls.NEWNET)
            return socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)


def write_setting(name: str, value: str) -> None:
    """Write a kernel setting of the current network namespace, if the kernel has it."""
    path = Path("/proc/sys", name)
    if path.exists():
        path.write_text(value)


def _open(name: str) -> int:
    return os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)

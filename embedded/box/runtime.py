"""The container runtime: what a kubelet asks of containerd, asked of the box's spawner.

An asyncio client, in a process inside the box. It never forks: the spawner does. Descriptors it
returns belong to the caller.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded.box.model import Completed, ExitStatus, ProcessSpec, Root, Sandbox, Streams
from embedded.images.model import Image


class Process:
    """A process that was started; for a container, its first process inside.

    `pid` is its number in the box's pid namespace.
    """

    pid: int

    async def wait(self) -> ExitStatus:
        """Return how it ended, once it has; any number of callers may wait."""
        raise NotImplementedError

    @property
    def status(self) -> ExitStatus | None:
        """How it ended; None while it runs."""
        raise NotImplementedError

    def signal(self, number: signal.Signals) -> None:
        """Signal the container's first process; nothing happens once it has ended.

        As pid 1 of its namespace it ignores signals it has no handler for, SIGKILL excepted.
        """
        raise NotImplementedError


class Runtime:
    """One connection to the spawner."""

    @classmethod
    async def connect_to(cls, path: Path, state: Path) -> Runtime:
        """Connect to the spawner's socket at `path`; roots are kept under `state`.

        Raises BoxError when nobody listens there.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Close the connection. What was started goes on running."""

    async def create_sandbox(self, name: str, address: str, hostname: str = "") -> Sandbox:
        """Make the namespaces of a Pod, with `address` (dotted IPv4) as /32 on its `eth0`.

        Returns when traffic flows both ways. `hostname` defaults to `name`. Low ports are free to
        any uid, IPv6 is off. Raises BoxError.
        """
        raise NotImplementedError

    async def remove_sandbox(self, sandbox: Sandbox) -> None:
        """Let go of the namespaces; they end with their last process."""

    async def set_link(self, sandbox: Sandbox, *, up: bool) -> None:
        """Cut the Pod off the network, or join it again. Its loopback is not touched."""

    async def mount_root(self, image: Image) -> Root:
        """Mount a fresh writable root over `image`. Raises BoxError."""
        raise NotImplementedError

    async def unmount_root(self, root: Root) -> None:
        """Unmount a root and forget what was written on it."""

    async def start(self, spec: ProcessSpec) -> Process:
        """Start a container; returns once its first process exists.

        A program that cannot be executed is said on `stderr`, and ends with code 127 or 1.
        Raises BoxError when the container cannot be made at all.
        """
        raise NotImplementedError

    async def exec(
        self,
        process: Process,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str = "/",
        streams: Streams | None = None,
        tty: bool = False,
    ) -> Process:
        """Run `argv` inside the container of `process`, with its uid and no privilege.

        With `tty`, stdin must be the slave of a pseudo-terminal and becomes the controlling one.
        Raises BoxError, with "no such file" where the program is not there.
        """
        raise NotImplementedError

    async def connect(
        self, sandbox: Sandbox, port: int, *, address: str = "127.0.0.1", deadline: float = 5.0
    ) -> socket.socket:
        """Dial `address`:`port` from inside the Pod; returns a non-blocking, connected socket.

        Raises ConnectionRefusedError, TimeoutError (after `deadline` seconds) or another OSError.
        """
        raise NotImplementedError

    async def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        streams: Streams | None = None,
        sandbox: Sandbox | None = None,
    ) -> Process:
        """Start a program of the box itself, in `sandbox`'s network if given.

        `env` None is the spawner's own environment. Raises BoxError.
        """
        raise NotImplementedError

    async def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", deadline: float = 10.0
    ) -> Completed:
        """Run a program of the box, such as `nft -f -`, to its end.

        Raises TimeoutError after `deadline` seconds, when it has been killed; BoxError.
        """
        raise NotImplementedError

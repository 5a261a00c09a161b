"""The container runtime: what a kubelet asks of containerd, asked of the box's spawner.

An asyncio client, in a process inside the box. It never forks: the spawner does. Descriptors it
returns belong to the caller.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded.images.model import Image
from embedded.runtime import bubblewrap, links, overlay, starting
from embedded.runtime.client import Process, SpawnerClient
from embedded.runtime.model import BoxError, Completed, ProcessSpec, Root, Sandbox, Streams
from embedded.runtime.pipes import OutputPipe, memory_file
from embedded.runtime.starting import OPEN_FILES, Pause
from embedded.runtime.users import Ids

__all__ = ["Pause", "Process", "Runtime"]


class Runtime:
    """One connection to the spawner."""

    def __init__(self, spawner: SpawnerClient, state: Path) -> None:
        self.users = Ids.here()
        """The users of the box."""
        self._spawner = spawner
        self._state = state
        self._numbers = itertools.count(1)
        self._namespaces: dict[int, int] = {}
        """Of several users, by the one that may enter."""
        self._making = asyncio.Lock()

    @classmethod
    async def connect_to(cls, path: Path, state: Path) -> Runtime:
        """Connect to the spawner's socket at `path`; roots are kept under `state`.

        Raises BoxError when nobody listens there.
        """
        return cls(await SpawnerClient.connect(path), state)

    async def close(self) -> None:
        """Close the connection. What was started goes on running."""
        await self._spawner.close()
        while self._namespaces:
            os.close(self._namespaces.popitem()[1])

    async def create_sandbox(self, name: str, address: str, hostname: str = "") -> Sandbox:
        """Make the namespaces of a Pod, with `address` (dotted IPv4) as /32 on its `eth0`.

        Returns when traffic flows both ways. `hostname` defaults to `name`. Low ports are free to
        any uid, IPv6 is off. Raises BoxError.
        """
        _, (net, ipc, uts) = await self._spawner.ask("sandbox", hostname=hostname or name)
        # Never the same twice: a device outlives its namespace by some milliseconds.
        link = f"veth{next(self._numbers)}"
        try:
            with await self._netlink(net) as inside:
                await asyncio.to_thread(links.connect, link, address, net, inside)
        except OSError as error:
            _close(net, ipc, uts)
            raise BoxError(f"sandbox {name}: {error}") from error
        except BaseException:
            _close(net, ipc, uts)
            raise
        return Sandbox(
            name=name, address=address, hostname=hostname or name, net=net, ipc=ipc, uts=uts
        )

    async def remove_sandbox(self, sandbox: Sandbox) -> None:
        """Let go of the namespaces; they end with their last process."""
        _close(sandbox.net, sandbox.ipc, sandbox.uts)

    async def mount_root(self, image: Image) -> Root:
        """Mount a fresh writable root over `image`. Raises BoxError."""
        directory = self._state / "roots" / str(next(self._numbers))
        try:
            merged = overlay.prepare(directory)
        except OSError as error:
            raise BoxError(f"root of {image.recipe}: {error}") from error
        await self._spawner.ask(
            "mount",
            source="overlay",
            target=str(merged),
            kind="overlay",
            flags=0,
            options=overlay.options(image.layers, directory),
        )
        return Root(path=merged, directory=directory)

    async def unmount_root(self, root: Root) -> None:
        """Unmount a root and forget what was written on it. Raises BoxError."""
        await self._spawner.ask("unmount", target=str(root.path))
        try:
            await asyncio.to_thread(shutil.rmtree, root.directory)
        except OSError as error:
            raise BoxError(f"root {root.directory}: {error}") from error

    async def start(self, spec: ProcessSpec) -> Process:
        """Start a container; returns once its first process exists in its finished surroundings.

        A program that cannot be executed is said on `stderr`, and ends with code 127 or 1.
        Raises BoxError when the container cannot be made at all.
        """
        several = self.users.several
        if spec.processes is None:
            users = await self._namespace_for(spec.uid)
            process = await starting.start_alone(self._spawner, spec, users)
        else:
            pause = self.users.pause if several else None
            process = await starting.start_beside(self._spawner, spec, spec.processes, pause)
        process.identity = starting.identity_of(spec) if several else None
        return process

    async def start_pause(
        self, sandbox: Sandbox, images: Sequence[Image], uid: int, gid: int
    ) -> Pause:
        """Start the pause of a Pod whose containers share their processes.

        Where the box has one user, all of them run as `uid` and `gid`; else the pause has a user
        of its own. It runs the programs of the first of `images` that has them: a shell, env and
        sleep. Raises BoxError.
        """
        pause = self.users.pause
        ids = (pause, pause) if self.users.several else (uid, gid)
        users = await self._namespace_for(pause)
        root = await self._pause_root(sandbox, images)
        try:
            return await starting.start_pause(self._spawner, sandbox, root, ids, users)
        except BaseException:
            await self.unmount_root(root)
            raise

    async def end_pause(self, pause: Pause) -> None:
        """End `pause`, and with it whatever runs beside it. Raises BoxError."""
        await pause.end()
        await self.unmount_root(pause.root)

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
        Raises BoxError, with "No such file" where the program is not there.
        """
        if process.status is not None or process.pidfd < 0:
            raise BoxError(f"exec {argv[0]}: the container has ended")
        return await self._spawner.spawn(
            argv,
            env=env,
            cwd=cwd,
            streams=streams,
            enter=process.pidfd,
            identity=process.identity,
            tty=tty,
            open_files=OPEN_FILES,
        )

    async def connect(
        self, sandbox: Sandbox, port: int, *, address: str = "127.0.0.1", deadline: float = 5.0
    ) -> socket.socket:
        """Dial `address`:`port` from inside the Pod; returns a non-blocking, connected socket.

        Raises ConnectionRefusedError, TimeoutError (after `deadline` seconds) or another OSError.
        """
        connection = await self._socket(sandbox.net, socket.AF_INET, socket.SOCK_STREAM, 0)
        connection.setblocking(False)
        try:
            async with asyncio.timeout(deadline):
                await asyncio.get_running_loop().sock_connect(connection, (address, port))
        except BaseException:
            connection.close()
            raise
        return connection

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
        join = () if sandbox is None else (sandbox.net,)
        return await self._spawner.spawn(argv, env=env, streams=streams, join=join)

    async def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", deadline: float = 10.0
    ) -> Completed:
        """Run a program of the box, such as `nft -f -`, to its end.

        Raises TimeoutError after `deadline` seconds, when it has been killed; BoxError.
        """
        source = memory_file(stdin)
        with OutputPipe() as out, OutputPipe() as err:
            try:
                streams = Streams(stdin=source, stdout=out.writer, stderr=err.writer)
                process = await self._spawner.spawn(argv, streams=streams)
            finally:
                os.close(source)
            out.close_writer()
            err.close_writer()
            try:
                async with asyncio.timeout(deadline):
                    stdout, stderr = await asyncio.gather(out.collect(), err.collect())
                    status = await process.wait()
            except BaseException:
                process.signal(signal.SIGKILL)
                raise
        return Completed(status=status, stdout=stdout, stderr=stderr)

    async def _namespace_for(self, user: int) -> int | None:
        """Return a namespace of all users that `user` may enter; None where the box has one."""
        if not self.users.several:
            return None
        async with self._making:
            if user not in self._namespaces:
                _, (self._namespaces[user],) = await self._spawner.ask("users", owner=user)
            return self._namespaces[user]

    async def _pause_root(self, sandbox: Sandbox, images: Sequence[Image]) -> Root:
        for image in images:
            root = await self.mount_root(image)
            if bubblewrap.can_pause(root.path):
                return root
            await self.unmount_root(root)
        raise BoxError(
            f"pause in {sandbox.name}: no image has the programs to share processes: "
            "/bin/sh, /bin/sleep and /usr/bin/env of their own"
        )

    async def _netlink(self, net: int) -> socket.socket:
        kind = socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE
        return await self._socket(net, *kind)

    async def _socket(self, net: int, family: int, kind: int, protocol: int) -> socket.socket:
        fields = {"family": int(family), "type": int(kind), "protocol": protocol}
        _, (descriptor,) = await self._spawner.ask("socket", [net], **fields)
        return socket.socket(fileno=descriptor)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)

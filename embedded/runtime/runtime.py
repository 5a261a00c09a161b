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
from embedded.runtime import bubblewrap, links, overlay
from embedded.runtime.client import Process, SpawnerClient
from embedded.runtime.model import BoxError, Completed, ProcessSpec, Root, Sandbox, Streams
from embedded.runtime.pipes import OutputPipe, memory_file

__all__ = ["Process", "Runtime"]

_START_SECONDS = 120.0
# The usual soft limit: a program that copes with more raises it, one that closes all that may be
# open, or knows select(2) only, need not suffer from the box's.
_OPEN_FILES = 1024


class Runtime:
    """One connection to the spawner."""

    def __init__(self, spawner: SpawnerClient, state: Path) -> None:
        self._spawner = spawner
        self._state = state
        self._numbers = itertools.count(1)

    @classmethod
    async def connect_to(cls, path: Path, state: Path) -> Runtime:
        """Connect to the spawner's socket at `path`; roots are kept under `state`.

        Raises BoxError when nobody listens there.
        """
        return cls(await SpawnerClient.connect(path), state)

    async def close(self) -> None:
        """Close the connection. What was started goes on running."""
        await self._spawner.close()

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
        with OutputPipe() as info, OutputPipe() as ready:
            more = {bubblewrap.INFO: info.writer}
            if bubblewrap.announces(spec):
                more[bubblewrap.READY] = ready.writer
            outer = await self._spawner.spawn(
                bubblewrap.command(spec),
                streams=spec.streams,
                more=more,
                join=(spec.sandbox.net, spec.sandbox.ipc, spec.sandbox.uts),
                tty=spec.tty,
                open_files=_OPEN_FILES,
            )
            info.close_writer()
            ready.close_writer()
            try:
                return await _finished(outer, info, ready, spec.sandbox.name)
            except BaseException:
                # Nobody will know of the process.
                outer.signal(signal.SIGKILL)
                raise

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
            tty=tty,
            open_files=_OPEN_FILES,
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

    async def _netlink(self, net: int) -> socket.socket:
        kind = socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE
        return await self._socket(net, *kind)

    async def _socket(self, net: int, family: int, kind: int, protocol: int) -> socket.socket:
        fields = {"family": int(family), "type": int(kind), "protocol": protocol}
        _, (descriptor,) = await self._spawner.ask("socket", [net], **fields)
        return socket.socket(fileno=descriptor)


async def _finished(outer: Process, info: OutputPipe, ready: OutputPipe, sandbox: str) -> Process:
    """Return the first process in the container that `outer` makes, once its surroundings are."""
    try:
        async with asyncio.timeout(_START_SECONDS):
            inner = outer.inside(bubblewrap.child_pid(await info.collect()))
            await ready.collect()
    except TimeoutError as error:
        text = f"container in {sandbox}: not made in {_START_SECONDS} s"
        raise BoxError(text) from error
    except (ValueError, KeyError) as error:
        # It has ended, as a rule: what it says of the child is said at once.
        outer.signal(signal.SIGKILL)
        status = await outer.wait()
        text = f"container in {sandbox}: bwrap ended with code {status.code}"
        raise BoxError(f"{text}; its words are on the container's stderr") from error
    return inner


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)

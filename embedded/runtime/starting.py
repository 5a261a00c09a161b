"""Starts of containers: alone, as the pause of a Pod, and beside others on that pause."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace

from embedded.runtime import bubblewrap, leftovers
from embedded.runtime.client import Process, SpawnerClient
from embedded.runtime.model import (
    BoxError,
    ExitStatus,
    ProcessNamespace,
    ProcessSpec,
    Root,
    Sandbox,
    Streams,
)
from embedded.runtime.pipes import OutputPipe
from embedded.runtime.users import Identity

# The usual soft limit: a program that copes with more raises it, one that closes all that may be
# open, or knows select(2) only, need not suffer from the box's.
OPEN_FILES = 1024
_START_SECONDS = 120.0
_NS_GET_USERNS = 0xB701  # ioctl_ns(2)


class Pause:
    """The process that keeps a process namespace: pid 1 of it, and the last of it to end."""

    def __init__(self, process: Process, namespace: ProcessNamespace, root: Root) -> None:
        self.namespace = namespace
        self.root = root
        self._process = process

    @property
    def ended(self) -> bool:
        """Whether it has ended, and with it all in the namespace."""
        return self._process.status is not None

    async def ends_within(self, seconds: float) -> bool:
        """Wait for its end; say whether it came."""
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    async def end(self) -> None:
        """End it and all in the namespace, and let go of that. Raises BoxError."""
        self._process.signal(signal.SIGKILL)
        try:
            await self._process.wait()
        finally:
            names = self.namespace
            for descriptor in (names.pids, names.owner, names.user):
                if descriptor is not None:
                    os.close(descriptor)


@dataclass(frozen=True, kw_only=True)
class _Start:
    """A run of bwrap. `more` are descriptors by the number it sees, beside INFO and READY.

    `identity` is who it is run as where the box has several users.

    `bound` says whether what it makes ends with it.
    """

    command: Sequence[str]
    sandbox: Sandbox
    announces: bool
    streams: Streams = field(default_factory=Streams)
    tty: bool = False
    identity: Identity | None = None
    more: Mapping[int, int] = field(default_factory=dict)
    bound: bool = True


async def start_alone(spawner: SpawnerClient, spec: ProcessSpec, users: int | None) -> Process:
    """Start a container with a pid namespace of its own.

    `users` is a namespace of several users that the container's may enter; None where there is
    one. Raises BoxError.
    """
    start = _start_of(spec, several=users is not None)
    if users is not None:
        start = replace(start, identity=identity_of(spec), more={bubblewrap.OWNER: users})
    return await _started(spawner, start, Process.inside)


def identity_of(spec: ProcessSpec) -> Identity:
    """Return who a container runs as, of several users."""
    return Identity(
        uid=spec.uid,
        gid=spec.gid,
        groups=spec.groups,
        streams=spec.uid,
        capabilities=spec.capabilities,
    )


async def start_pause(
    spawner: SpawnerClient, sandbox: Sandbox, root: Root, ids: tuple[int, int], users: int | None
) -> Pause:
    """Start the pause of `sandbox` on `root`, which has its programs, with user and group `ids`.

    `users` is as for `start_alone`. Raises BoxError.
    """
    several = users is not None
    command = bubblewrap.pause_command(root.path, *ids, several=several)
    start = _Start(command=command, sandbox=sandbox, announces=True)
    if users is not None:
        identity = Identity(uid=ids[0], gid=ids[1], groups=(), streams=ids[0])
        start = replace(start, identity=identity, more={bubblewrap.OWNER: users})
    process = await _started(spawner, start, Process.inside)
    try:
        return Pause(process, _namespace_of(process), root)
    except OSError as error:
        process.signal(signal.SIGKILL)
        raise BoxError(f"pause in {sandbox.name}: {error}") from error


async def start_beside(
    spawner: SpawnerClient, spec: ProcessSpec, processes: ProcessNamespace, pause: int | None
) -> Process:
    """Start a container among `processes`; all its own end with its first.

    `pause` is the pause's user where there are several, None where there is one. Raises BoxError.
    """
    numbers = {
        bubblewrap.PIDS: processes.pids,
        bubblewrap.OWNER: processes.owner,
        bubblewrap.USER: processes.user,
    }
    with ExitStack() as opened:
        shut, gate = os.pipe()
        opened.callback(os.close, shut)
        opened.callback(os.close, gate)
        more = {bubblewrap.GATE: shut}
        for number, descriptor in numbers.items():
            if descriptor is not None:
                # Copies: whoever finds the pause ended meanwhile closes the others.
                more[number] = os.dup(descriptor)
                opened.callback(os.close, more[number])

        def found(outer: Process, pid: int) -> Process:
            try:
                process = _with_leftovers(outer, pid)
            except OSError as error:
                raise BoxError(f"container in {spec.sandbox.name}: {error}") from error
            os.write(gate, b"\n")
            return process

        start = replace(_start_of(spec, several=pause is not None), more=more, bound=False)
        if pause is not None:
            start = replace(start, identity=replace(identity_of(spec), uid=pause, gid=pause))
        return await _started(spawner, start, found)


def _start_of(spec: ProcessSpec, *, several: bool) -> _Start:
    return _Start(
        command=bubblewrap.command(spec, several=several),
        sandbox=spec.sandbox,
        announces=bubblewrap.announces(spec),
        streams=spec.streams,
        tty=spec.tty,
    )


async def _started(
    spawner: SpawnerClient, start: _Start, found: Callable[[Process, int], Process]
) -> Process:
    """Start a container; returns its first process, once its surroundings are finished.

    `found` makes that of bwrap and of the number that bwrap tells. Raises BoxError.
    """
    with OutputPipe() as info, OutputPipe() as ready:
        more = {bubblewrap.INFO: info.writer, **start.more}
        if start.announces:
            more[bubblewrap.READY] = ready.writer
        sandbox = start.sandbox
        outer = await spawner.spawn(
            start.command,
            streams=start.streams,
            more=more,
            join=(sandbox.net, sandbox.ipc, sandbox.uts),
            tty=start.tty,
            open_files=OPEN_FILES,
            identity=start.identity,
        )
        info.close_writer()
        ready.close_writer()
        try:
            return await _finished(outer, info, ready, start, found)
        except BaseException:
            # Nobody will know of the process.
            outer.signal(signal.SIGKILL)
            if not start.bound:
                await _kill_child(outer, info)
            raise


async def _finished(
    outer: Process,
    info: OutputPipe,
    ready: OutputPipe,
    start: _Start,
    found: Callable[[Process, int], Process],
) -> Process:
    name = start.sandbox.name
    try:
        async with asyncio.timeout(_START_SECONDS):
            inner = found(outer, bubblewrap.child_pid(await info.collect()))
            await ready.collect()
    except TimeoutError as error:
        raise BoxError(f"container in {name}: not made in {_START_SECONDS} s") from error
    except (ValueError, KeyError) as error:
        # It has ended, as a rule: what it says of the child is said at once.
        outer.signal(signal.SIGKILL)
        status = await outer.wait()
        text = f"container in {name}: bwrap ended with code {status.code}"
        raise BoxError(f"{text}; its words are on the container's stderr") from error
    return inner


async def _kill_child(outer: Process, info: OutputPipe) -> None:
    """Kill what `outer` has made, if it has: it still waits at the gate, or else it has ended."""
    with suppress(BoxError, ValueError, KeyError, ProcessLookupError):
        await outer.wait()
        os.kill(bubblewrap.child_pid(await info.collect()), signal.SIGKILL)


def _with_leftovers(outer: Process, pid: int) -> Process:
    """Return the child `pid` of `outer` as a process that has ended once all its own have."""
    mounts = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
    ended = asyncio.ensure_future(_end_of_all(outer, mounts))
    # Where no one waits for it, a lost box is no news.
    ended.add_done_callback(lambda done: done.cancelled() or done.exception())
    return outer.inside(pid, ended)


async def _end_of_all(outer: Process, mounts: int) -> ExitStatus:
    try:
        status = await outer.wait()
        await leftovers.end(mounts)
        return status
    finally:
        os.close(mounts)


def _namespace_of(pause: Process) -> ProcessNamespace:
    """Return what `pause` keeps. Raises OSError."""
    with ExitStack() as opened:

        def keep(descriptor: int) -> int:
            opened.callback(os.close, descriptor)
            return descriptor

        pids = keep(os.open(f"/proc/{pause.pid}/ns/pid", os.O_RDONLY))
        owner = keep(fcntl.ioctl(pids, _NS_GET_USERNS))
        user = keep(os.open(f"/proc/{pause.pid}/ns/user", os.O_RDONLY))
        same = os.path.samestat(os.fstat(owner), os.fstat(user))
        if same:
            os.close(user)
        opened.pop_all()
    return ProcessNamespace(pids=pids, owner=owner, user=None if same else user)

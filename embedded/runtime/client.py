"""The asyncio end of the spawner's socket: requests, their answers, and ends of processes."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal as signals
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from embedded.runtime import messages
from embedded.runtime.model import BoxError, ExitStatus, Streams
from embedded.runtime.users import Identity

_DEADLINE = 120.0


class Process:
    """A process that was started; for a container, its first process inside.

    `pid` is its number in the box's pid namespace.
    """

    def __init__(self, pid: int, pidfd: int, ended: asyncio.Future[ExitStatus]) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.identity: Identity | None = None
        """Who programs run as that are executed beside it."""
        self._ended = ended

    async def wait(self) -> ExitStatus:
        """Wait for its end, and return its exit status; any number of callers may wait.

        Raises BoxError when the connection to the spawner is lost.
        """
        return await asyncio.shield(self._ended)

    @property
    def status(self) -> ExitStatus | None:
        """Its exit status; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    def signal(self, number: signals.Signals) -> None:
        """Signal the process; nothing happens once it has ended.

        A container's first process, as pid 1 of a namespace of its own, ignores signals that it
        has no handler for, SIGKILL excepted.
        """
        if not self._ended.done() and self.pidfd >= 0:
            with suppress(ProcessLookupError):
                signals.pidfd_send_signal(self.pidfd, number)

    def inside(self, pid: int, ended: asyncio.Future[ExitStatus] | None = None) -> Process:
        """Return this process as its child `pid`, which signals go to from then on.

        `ended` is its end, where that is not the end of this process.
        """
        ended = ended or self._ended
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            pidfd = -1
        _close_at_end(ended, pidfd)
        return Process(pid, pidfd, ended)


def _close_at_end(ended: asyncio.Future[ExitStatus], pidfd: int) -> None:
    if pidfd >= 0:
        ended.add_done_callback(lambda _: os.close(pidfd))


class SpawnerClient:
    """One connection to the spawner, from inside the box or from the launcher."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[tuple[Any, list[int]]]] = {}
        self._exits: dict[int, asyncio.Future[ExitStatus]] = {}
        self._killings: set[asyncio.Task[Any]] = set()
        self._sending = asyncio.Lock()
        self._lost = False
        self._loop.add_reader(connection, self._read)

    @classmethod
    async def connect(cls, path: Path) -> SpawnerClient:
        """Connect to the socket at `path`. Raises BoxError when nobody listens there."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, str(path))
        except OSError as error:
            connection.close()
            raise BoxError(f"spawner: {path}: {error.strerror}") from error
        return cls(connection)

    async def close(self) -> None:
        """Close the connection; what was started goes on."""
        self._lose("closed")

    async def ask(
        self, do: str, descriptors: Sequence[int] = (), /, **fields: Any
    ) -> tuple[Any, list[int]]:
        """Send a request; returns the answer and the descriptors that came with it.

        Raises BoxError.
        """
        if self._lost:
            raise BoxError(f"{do}: the box has ended")
        number = next(self._numbers)
        answer = self._answers[number] = self._loop.create_future()
        try:
            await self._send({"id": number, "do": do, **fields}, descriptors)
            async with asyncio.timeout(_DEADLINE):
                result: tuple[Any, list[int]] = await answer
                return result
        except TimeoutError as error:
            raise BoxError(f"{do}: the spawner has not answered in {_DEADLINE} s") from error
        except OSError as error:
            raise BoxError(f"{do}: the spawner cannot be reached: {error}") from error
        finally:
            self._answers.pop(number, None)

    async def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        streams: Streams | None = None,
        more: Mapping[int, int] | None = None,
        join: Sequence[int] = (),
        enter: int | None = None,
        identity: Identity | None = None,
        tty: bool = False,
        open_files: int | None = None,
    ) -> Process:
        """Start a program in the box. `more` are further descriptors by the number it sees.

        `join` are namespaces to enter, `enter` the pidfd of a process in a container to enter.
        `identity` is who runs it, None for root.
        `open_files` is its soft limit, None that of the box: the highest. Raises BoxError.
        """
        streams = streams or Streams()
        wanted = {0: streams.stdin, 1: streams.stdout, 2: streams.stderr, **(more or {})}
        sent = [*join] if enter is None else [*join, enter]
        places: list[tuple[int, int | None]] = []
        for target, source in wanted.items():
            places.append((target, None if source is None else len(sent)))
            sent += [] if source is None else [source]
        (pid, ended), found = await self.ask(
            "spawn",
            sent,
            argv=list(argv),
            env=None if env is None else dict(env),
            cwd=cwd,
            descriptors=places,
            join=list(range(len(join))),
            enter=None if enter is None else len(join),
            identity=None if identity is None else asdict(identity),
            tty=tty,
            open_files=open_files,
        )
        pidfd = found[0] if found else -1
        _close_at_end(ended, pidfd)
        return Process(pid, pidfd, ended)

    async def _send(self, message: messages.Message, descriptors: Sequence[int]) -> None:
        packet, given = messages.encode(message, descriptors)
        try:
            async with self._sending:
                while not self._transmitted(packet, given):
                    await self._writable()
        finally:
            for descriptor in given[len(descriptors) :]:
                os.close(descriptor)

    def _transmitted(self, packet: bytes, descriptors: Sequence[int]) -> bool:
        try:
            messages.transmit(self._connection, packet, descriptors)
        except BlockingIOError:
            return False
        return True

    async def _writable(self) -> None:
        free: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_writer(self._connection, _settle, free)
        try:
            await free
        finally:
            self._loop.remove_writer(self._connection)

    def _read(self) -> None:
        try:
            received = messages.receive(self._connection)
        except BlockingIOError:
            return
        except messages.LostDescriptorsError as error:
            self._answer_without(error)
            return
        except OSError:
            received = None
        if received is None:
            self._lose("the box has ended")
            return
        message, descriptors = received
        if "ended" in message:
            self._end(message["ended"], message["status"])
        else:
            self._answer(message, descriptors)

    def _answer(self, message: messages.Message, descriptors: list[int]) -> None:
        ok = message.get("ok")
        if message.get("started"):
            # Its end may come in the same breath, before whoever asked has seen this.
            ended = self._exits[message["ok"]] = self._loop.create_future()
            ok = (ok, ended)
        answer = self._answers.pop(message["id"], None)
        if answer is None or answer.done():
            self._discard(message, descriptors)
        elif "error" in message:
            answer.set_exception(BoxError(message["error"]))
        else:
            answer.set_result((ok, descriptors))

    def _answer_without(self, error: messages.LostDescriptorsError) -> None:
        """Let a request fail whose answer came without its descriptors."""
        message = error.message
        if not message:
            self._lose(str(error))
            return
        if message.get("started"):
            # Nobody can signal it.
            pid = message["ok"]
            self._exits[pid] = self._loop.create_future()
            killing = self._loop.create_task(self.ask("kill", pid=pid))
            self._killings.add(killing)
            killing.add_done_callback(self._killings.discard)
        self._answer({"id": message["id"], "error": str(error)}, [])

    def _discard(self, message: messages.Message, descriptors: list[int]) -> None:
        """Undo what came too late: whoever asked has given up."""
        for descriptor in descriptors:
            if message.get("started"):
                with suppress(ProcessLookupError):
                    signals.pidfd_send_signal(descriptor, signals.SIGKILL)
            os.close(descriptor)

    def _end(self, pid: int, status: int) -> None:
        ended = self._exits.pop(pid)
        ended.set_result(_exit_status(status))

    def _lose(self, why: str) -> None:
        if self._lost:
            return
        self._lost = True
        self._loop.remove_reader(self._connection)
        self._connection.close()
        waiting: list[asyncio.Future[Any]] = [*self._answers.values(), *self._exits.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(BoxError(why))
                # Where no one waits for it, that is no news.
                future.exception()


def _settle(free: asyncio.Future[None]) -> None:
    if not free.done():
        free.set_result(None)


def _exit_status(status: int) -> ExitStatus:
    code = os.waitstatus_to_exitcode(status)
    return ExitStatus(code=code) if code >= 0 else ExitStatus(code=128 - code, signal=-code)

"""Commands' output on its way to clients that read slowly, and from children that never end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import pytest

from embedded.node.kubelet.channels import STATUS, STDOUT
from embedded.node.kubelet.execution import Command, run_command
from embedded.node.kubelet.stdio import RequestedStreams
from embedded.runtime.model import ExitStatus

_STALL = 1.5  # seconds; longer than a pipe's end is waited for


class Started:
    """A process of this machine, as the box would tell of it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def wait(self) -> ExitStatus:
        return ExitStatus(code=await self._process.wait())

    def signal(self, number: signal.Signals) -> None:
        # As in the box, nothing happens once it has ended.
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


class Machine:
    """Runs commands here instead of in a container, each in a process group of its own."""

    def __init__(self) -> None:
        self.process: asyncio.subprocess.Process | None = None

    async def exec(self, _: object, argv: list[str], *, streams: Any, **__: object) -> Started:
        self.process = await asyncio.create_subprocess_exec(
            *argv, stdout=streams.stdout, stderr=streams.stderr, start_new_session=True
        )
        return Started(self.process)

    def clear(self) -> None:
        """End what the command left behind."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)


class Client:
    """The other end of the socket; `take` is awaited for each piece of output."""

    closed = False

    def __init__(self, take: Callable[[], Awaitable[None]]) -> None:
        self._take = take
        self.out = 0
        self.status = b""
        self.gone = asyncio.Event()

    async def send_bytes(self, data: bytes) -> None:
        if data[0] == STDOUT:
            await self._take()
            self.out += len(data) - 1
        elif data[0] == STATUS:
            self.status = data[1:]

    def __aiter__(self) -> Client:
        return self

    async def __anext__(self) -> object:
        await self.gone.wait()
        raise StopAsyncIteration


async def at_once() -> None:
    """Take what comes."""


def run(script: str, client: Callable[[], Client], *, leaves: bool = False) -> Client:
    """Let a client run a shell's script; `leaves` where that leaves a child behind."""

    async def carry() -> Client:
        machine, other = Machine(), client()
        command = Command(
            process=cast(Any, None), argv=["sh", "-c", script], environment={}, cwd="/"
        )
        wanted = RequestedStreams(stdin=False, stdout=True, stderr=False, tty=False)
        try:
            async with asyncio.timeout(60):
                await run_command(cast(Any, machine), command, wanted, cast(Any, other))
        finally:
            if leaves:
                machine.clear()
        return other

    return asyncio.run(carry())


def test_a_client_that_stalls_gets_all_there_is() -> None:
    def stalling() -> Client:
        stalled = asyncio.Event()

        async def once() -> None:
            if not stalled.is_set():
                asyncio.get_running_loop().call_later(_STALL, stalled.set)
            await stalled.wait()

        return Client(once)

    got = run("head -c 200000 /dev/zero", stalling)
    assert got.out == 200_000
    assert b"Success" in got.status


def test_a_client_that_goes_while_it_is_sent_to_is_not_waited_for() -> None:
    def going() -> Client:
        async def never() -> None:
            client.gone.set()
            await asyncio.Event().wait()

        client = Client(never)
        return client

    assert run("echo out", going).out == 0


@pytest.mark.parametrize("script", ["echo out; sleep 60 &", "echo out; yes &"])
def test_a_child_that_keeps_the_output_is_not_waited_for(script: str) -> None:
    got = run(script, lambda: Client(at_once), leaves=True)
    assert got.out >= len("out\n")
    assert b"Success" in got.status

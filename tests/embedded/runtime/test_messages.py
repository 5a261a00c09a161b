"""Messages with descriptors, where the receiver may open no more files."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedded.runtime import messages
from embedded.runtime.client import SpawnerClient
from embedded.runtime.model import BoxError


def open_descriptors() -> list[str]:
    return [entry.name for entry in Path("/proc/self/fd").iterdir()]


@contextmanager
def room_for(count: int) -> Iterator[None]:
    """Let this process open so many more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(map(int, open_descriptors())) + count + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    filling: list[int] = []
    try:
        while True:
            try:
                filling.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        for _ in range(count):
            os.close(filling.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in filling:
            os.close(descriptor)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        yield one, other


def send(connection: socket.socket, message: messages.Message, *descriptors: int) -> None:
    packet, given = messages.encode(message, descriptors)
    messages.transmit(connection, packet, given)
    for descriptor in given[len(descriptors) :]:
        os.close(descriptor)


def test_descriptors_that_were_lost_are_an_error(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    before = len(open_descriptors())
    send(one, {"id": 7, "ok": None}, 0, 0, 0)
    with (
        room_for(1),
        pytest.raises(messages.LostDescriptorsError, match="too many open files") as lost,
    ):
        messages.receive(other)
    assert lost.value.message == {"id": 7, "ok": None}
    assert len(open_descriptors()) == before
    # What comes later is not touched by it.
    send(one, {"id": 8, "ok": 1})
    assert messages.receive(other) == ({"id": 8, "ok": 1}, [])


def test_a_long_message_that_was_lost_is_an_error(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    one, other = pair
    send(one, {"id": 7, "ok": "x" * 100_000})
    with room_for(0), pytest.raises(messages.LostDescriptorsError) as lost:
        messages.receive(other)
    assert lost.value.message == {}


def test_only_the_request_fails_whose_answer_was_lost(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    spawner, connection = pair

    async def answer(message: messages.Message, *descriptors: int) -> None:
        request = messages.receive(spawner)
        assert request is not None
        send(spawner, {"id": request[0]["id"], **message}, *descriptors)

    async def run() -> None:
        client = SpawnerClient(connection)
        asked = asyncio.create_task(client.ask("sandbox"))
        await readable(spawner)
        await answer({"ok": None}, 0, 0, 0)
        with room_for(1), pytest.raises(BoxError, match="too many open files"):
            await asked
        asked = asyncio.create_task(client.ask("mount"))
        await readable(spawner)
        await answer({"ok": "done"})
        assert await asked == ("done", [])
        await client.close()

    asyncio.run(run())


def test_a_process_that_nobody_could_signal_is_killed(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    spawner, connection = pair

    async def run() -> None:
        client = SpawnerClient(connection)
        spawning = asyncio.create_task(client.spawn(["sleep", "60"]))
        await readable(spawner)
        request = messages.receive(spawner)
        assert request is not None
        send(spawner, {"id": request[0]["id"], "ok": 4711, "started": True}, 0)
        with room_for(0), pytest.raises(BoxError, match="too many open files"):
            await spawning
        await readable(spawner)
        told = messages.receive(spawner)
        assert told is not None
        assert (told[0]["do"], told[0]["pid"]) == ("kill", 4711)
        send(spawner, {"id": told[0]["id"], "ok": None})
        send(spawner, {"ended": 4711, "status": 9})
        # The connection goes on.
        asked = asyncio.create_task(client.ask("mount"))
        await readable(spawner)
        last = messages.receive(spawner)
        assert last is not None
        send(spawner, {"id": last[0]["id"], "ok": None})
        assert await asked == (None, [])
        await client.close()

    asyncio.run(run())


async def readable(connection: socket.socket) -> None:
    """Wait until there is something to receive."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(connection, ready.set)
    try:
        await asyncio.wait_for(ready.wait(), 5)
    finally:
        loop.remove_reader(connection)

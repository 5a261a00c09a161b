"""Memory and processor time are those of the processes meant, and of no others."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.bench import processes
from tests.bench.figures import BenchError

_CHILD = "held = bytearray(b'x' * (32 << 20)); print(len(held), flush=True); input()"


@pytest.fixture
def child() -> Iterator[int]:
    """A process that holds 32 MiB."""
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield running.pid
        running.communicate(b"\n")


def test_descendants_are_those_of_their_root(child: int) -> None:
    assert child in {process.pid for process in processes.descendants(os.getpid())}
    assert [process.pid for process in processes.descendants(child)] == [child]


def test_memory_is_what_the_processes_hold(child: int) -> None:
    assert 32 < processes.memory(processes.descendants(child)) < 100


def test_processor_time_counts_work() -> None:
    before = processes.processor_time([os.getpid()])
    while processes.processor_time([os.getpid()]) < before + 0.05:
        sum(range(10_000))


def test_what_has_ended_is_said() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with pytest.raises(BenchError, match=f"process {ended.pid} has ended"):
        processes.processor_time([ended.pid])
    with pytest.raises(BenchError, match=f"process {ended.pid} has ended"):
        processes.descendants(ended.pid)


def test_listeners_hold_the_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert os.getpid() in processes.listeners(server.getsockname()[1])
        port = server.getsockname()[1]
    assert not processes.listeners(port)


@pytest.mark.parametrize(("host", "local"), [("127.0.0.1", True), ("192.0.2.1", False)])
def test_another_machine_is_told_by_its_address(host: str, local: bool) -> None:
    assert processes.is_local(host) is local

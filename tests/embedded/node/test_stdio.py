"""The streams of a command in a container."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from embedded.node.kubelet.stdio import RequestedStreams, Stdio

# The first is the node's.
LOOPS: list[Callable[[Coroutine[Any, Any, bytes]], bytes]] = [uvloop.run, asyncio.run]


def test_what_a_child_of_the_command_still_writes_goes_nowhere() -> None:
    async def exchange() -> int:
        wanted = RequestedStreams(stdin=False, stdout=True, stderr=False, tty=False)
        async with Stdio(wanted) as stdio:
            assert stdio.streams.stdout is not None
            child = os.dup(stdio.streams.stdout)
            reader = await stdio.reader("stdout")
            assert reader is not None
            os.write(child, b"said")
            assert await reader.read(100) == b"said"
        return child

    child = asyncio.run(exchange())
    try:
        with pytest.raises(BrokenPipeError):
            os.write(child, b"late")
    finally:
        os.close(child)


@pytest.mark.parametrize("run", LOOPS, ids=["uvloop", "asyncio"])
def test_what_a_terminal_showed_before_its_end_is_read_after_it(
    run: Callable[[Coroutine[Any, Any, bytes]], bytes],
) -> None:
    async def exchange() -> bytes:
        wanted = RequestedStreams(stdin=False, stdout=True, stderr=False, tty=True)
        async with Stdio(wanted) as stdio:
            assert stdio.streams.stdout is not None
            os.write(stdio.streams.stdout, b"last")
            reader = await stdio.reader("stdout")
            assert reader is not None
            stdio.started()
            # The loop reads what is there, and then the end.
            for _ in range(100):
                await asyncio.sleep(0)
            return await reader.read(100) + await reader.read(100)

    assert run(exchange()) == b"last"

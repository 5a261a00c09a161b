"""The streams of a command in a container."""

from __future__ import annotations

import asyncio
import os

import pytest

from embedded.node.kubelet.stdio import RequestedStreams, Stdio


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

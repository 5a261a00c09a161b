"""A connection that is dead is not mistaken for a server that has nothing to say."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from embedded.client import Client
from embedded.client.config import ClientConfig
from embedded.client.errors import Unreachable
from embedded.client.resources import CONFIGMAPS
from embedded.pki import Authority
from tests.embedded import clock
from tests.embedded.clock import Clock

AT_MOST = 310.0


def test_a_watch_that_hears_nothing_for_too_long_has_lost_its_server() -> None:
    async def play(time: Clock) -> None:
        async with RawTestServer(_one_event) as served:
            server = str(served.make_url("/")).rstrip("/")
            config = ClientConfig(server=server, ca=Authority("x").certificate, token="t")
            async with Client(config) as client:
                stream = client.watch(CONFIGMAPS, "ns", resource_version="1")
                assert (await anext(stream)).kind == "ADDED"
                time.call_soon(time.put_forward, AT_MOST)
                with pytest.raises(Unreachable, match="watch configmaps"):
                    async with asyncio.timeout(AT_MOST + 10):
                        await anext(stream)

    clock.run(play)


async def _one_event(request: web.BaseRequest) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    await answer.write(b'{"type":"ADDED","object":{}}\n')
    await asyncio.Event().wait()
    return answer

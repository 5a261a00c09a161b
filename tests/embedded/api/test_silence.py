"""Bookmarks of a watch after a minute of silence, on a clock that can be put forward."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from aiohttp.test_utils import RawTestServer

from embedded.api.config import ApiConfig, Token
from embedded.api.server import ApiServer
from embedded.api.watches import BOOKMARK_EVERY
from tests.embedded import clock
from tests.embedded.clock import Clock

PATH = "/api/v1/namespaces/default/configmaps"


class Bench:
    """A server and one watch of its ConfigMaps, which has seen one of them."""

    def __init__(self, server: ApiServer, answer: ClientResponse) -> None:
        self._server = server
        self._answer = answer

    def put(self, name: str, plural: str = "configmaps") -> None:
        store = self._server.store
        meta = {"namespace": "default", "name": name}
        store.put(store.collection("", plural), {"metadata": meta})

    async def next(self) -> Any:
        async with asyncio.timeout(60):
            return json.loads(await self._answer.content.readline())

    @property
    def version(self) -> str:
        return str(self._server.store.version)


@asynccontextmanager
async def watching() -> AsyncIterator[Bench]:
    unused = Path("unused")
    token = Token(token="t", user="u", groups=("system:masters",))
    server = ApiServer(ApiConfig(ca=unused, certificate=unused, key=unused, tokens=(token,)))
    params = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": "1"}
    headers = {"Authorization": "Bearer t"}
    async with (
        RawTestServer(server.handle) as served,
        ClientSession(headers=headers, timeout=ClientTimeout(total=None)) as session,
        session.get(served.make_url(PATH), params=params) as answer,
    ):
        bench = Bench(server, answer)
        bench.put("first")
        assert (await bench.next())["object"]["metadata"]["name"] == "first"
        yield bench
        answer.close()


@pytest.mark.parametrize("seconds", [-1.0, 1.0], ids=["before", "after"])
def test_a_write_in_the_turn_of_the_time_out_is_sent(seconds: float) -> None:
    async def look(time: Clock) -> list[str]:
        async with watching() as bench:
            time.call_later(BOOKMARK_EVERY + seconds, bench.put, "second")
            time.put_forward(BOOKMARK_EVERY + 5)
            event = await bench.next()
            return [event["type"], event["object"]["metadata"].get("name", "")]

    assert clock.run(look) == ["ADDED", "second"]


def test_silence_is_told_with_the_version_of_all_that_was_written() -> None:
    async def look(time: Clock) -> None:
        async with watching() as bench:
            bench.put("other", "secrets")
            time.put_forward(BOOKMARK_EVERY + 5)
            event = await bench.next()
            assert event["type"] == "BOOKMARK"
            assert event["object"]["metadata"]["resourceVersion"] == bench.version

    clock.run(look)

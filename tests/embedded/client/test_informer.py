"""The informer against a real API server, one that dies and comes back included."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from embedded.client import CONFIGMAPS, NAMESPACES, Client, Informer, Json
from tests.embedded.client.api_process import ApiProcess, api_server
from tests.embedded.client.test_client import config, run

DEADLINE = 60.0


class Diary:
    """The events of an informer, and a way to wait for them."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    def note(self, kind: str, obj: Json) -> None:
        self.entries.append((kind, obj["metadata"]["name"]))
        self._news.set()

    async def until(self, met: Callable[[], object]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not met():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def running(informer: Informer) -> AsyncIterator[Informer]:
    task = asyncio.create_task(informer.run())
    try:
        await asyncio.wait_for(informer.synced(), DEADLINE)
        yield informer
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def follow(api: ApiProcess, script: Callable[[Informer, Diary, str], Awaitable[None]]) -> None:
    async def main(client: Client, ns: str) -> None:
        diary = Diary()
        async with running(Informer(client, CONFIGMAPS, ns, on_change=diary.note)) as informer:
            await script(informer, diary, ns)

    run(api, main)


def test_the_copy_follows_the_server(api: ApiProcess) -> None:
    async def script(informer: Informer, diary: Diary, ns: str) -> None:
        client = informer.client
        await client.create(CONFIGMAPS, config("a"), ns)
        await diary.until(lambda: informer.get(ns, "a"))
        await client.patch(CONFIGMAPS, "a", ns, {"data": {"x": "1"}})
        await client.delete(CONFIGMAPS, "a", ns)
        await diary.until(lambda: not informer.items)
        assert diary.entries == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]

    follow(api, script)


def test_an_own_write_is_known_at_once_and_told_once(api: ApiProcess) -> None:
    async def script(informer: Informer, diary: Diary, ns: str) -> None:
        client = informer.client
        informer.learn(await client.create(CONFIGMAPS, config("a"), ns))
        assert informer.get(ns, "a")
        await client.create(CONFIGMAPS, config("b"), ns)
        await diary.until(lambda: informer.get(ns, "b"))
        assert diary.entries == [("ADDED", "a"), ("ADDED", "b")]

    follow(api, script)


def test_an_answer_that_comes_late_does_not_raise_the_dead(api: ApiProcess) -> None:
    async def script(informer: Informer, diary: Diary, ns: str) -> None:
        client = informer.client
        answer = await client.create(CONFIGMAPS, config("a"), ns)
        await client.delete(CONFIGMAPS, "a", ns)
        await diary.until(lambda: ("DELETED", "a") in diary.entries)
        informer.learn(answer)
        assert informer.items == {}

    follow(api, script)


def test_a_handler_that_comes_late_is_told_what_is_there(api: ApiProcess) -> None:
    async def script(informer: Informer, diary: Diary, ns: str) -> None:
        informer.learn(await informer.client.create(CONFIGMAPS, config("a"), ns))
        late = Diary()
        informer.add_handler(late.note)
        assert late.entries == [("ADDED", "a")]

    follow(api, script)


def test_a_server_that_comes_back_is_listed_anew(tmp_path: Path) -> None:
    """The second server holds nothing of the first: what is gone is told as deleted."""

    async def names(kubeconfig: Path, *wanted: str) -> None:
        async with Client.from_kubeconfig(kubeconfig) as client:
            await client.create(NAMESPACES, {"metadata": {"name": "n"}})
            for name in wanted:
                await client.create(CONFIGMAPS, config(name), "n")

    async def main() -> None:
        diary = Diary()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            second = listener.dup()
            with api_server(tmp_path, listener) as api:
                client = Client.from_kubeconfig(api.kubeconfig)
                informer = Informer(client, CONFIGMAPS, "n", on_change=diary.note)
                task = asyncio.create_task(informer.run())
                await informer.synced()
                # Its event shows that the watch is up.
                await names(api.kubeconfig, "a")
                await diary.until(lambda: diary.entries)
        with api_server(tmp_path, second, keep=True) as api:
            await names(api.kubeconfig, "b")
            await diary.until(lambda: set(informer.items) == {("n", "b")})
            task.cancel()
            await client.close()
        assert sorted(diary.entries) == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]

    asyncio.run(main())

"""The client against a real API server: objects, errors, watches."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest

from embedded.client import (
    CONFIGMAPS,
    NAMESPACES,
    AlreadyExists,
    ApiError,
    Client,
    ClientConfig,
    Conflict,
    Gone,
    Invalid,
    Json,
    NotFound,
    Unreachable,
    WatchEvent,
)
from tests.embedded.client.api_process import ApiProcess

DEADLINE = 60.0
numbers = itertools.count(1)

Script = Callable[[Client, str], Awaitable[None]]


def run(api: ApiProcess, script: Script) -> None:
    """Run a script with a client and a fresh namespace."""

    async def main() -> None:
        async with Client.from_kubeconfig(api.kubeconfig) as client, asyncio.timeout(DEADLINE):
            namespace = f"client-{next(numbers)}"
            await client.create(NAMESPACES, {"metadata": {"name": namespace}})
            await script(client, namespace)

    asyncio.run(main())


def config(name: str, **data: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"name": name}},
        "data": data,
    }


def test_an_object_is_created_read_changed_and_deleted(api: ApiProcess) -> None:
    async def script(client: Client, ns: str) -> None:
        await client.create(CONFIGMAPS, config("a", x="1"), ns)
        changed = await client.patch(CONFIGMAPS, "a", ns, {"data": {"x": None, "y": "2"}})
        assert changed["data"] == {"y": "2"}
        step = [{"op": "add", "path": "/data/z", "value": "3"}]
        await client.patch(CONFIGMAPS, "a", ns, step, "json")
        found = await client.get(CONFIGMAPS, "a", ns)
        assert found["data"] == {"y": "2", "z": "3"}
        replaced = await client.replace(CONFIGMAPS, found | {"data": {}})
        assert not replaced.get("data")
        await client.delete(CONFIGMAPS, "a", ns)
        with pytest.raises(NotFound):
            await client.get(CONFIGMAPS, "a", ns)

    run(api, script)


def test_an_object_is_applied(api: ApiProcess) -> None:
    async def script(client: Client, ns: str) -> None:
        wanted = config("a", x="1")
        wanted["metadata"]["namespace"] = ns
        first = await client.apply(CONFIGMAPS, wanted, manager="me")
        again = await client.apply(CONFIGMAPS, wanted, manager="me")
        assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]

    run(api, script)


def test_a_list_is_selected_and_complete(api: ApiProcess) -> None:
    async def script(client: Client, ns: str) -> None:
        for name in ("a", "b"):
            await client.create(CONFIGMAPS, config(name), ns)
        listed = await client.list(CONFIGMAPS, ns, labels="name=b")
        assert [item["metadata"]["name"] for item in listed.items] == ["b"]
        assert listed.items[0]["kind"] == "ConfigMap"
        await client.delete_collection(CONFIGMAPS, ns, labels="name in (a,b)")
        assert (await client.list(CONFIGMAPS, ns)).items == []

    run(api, script)


def test_a_dry_run_leaves_nothing(api: ApiProcess) -> None:
    async def script(client: Client, ns: str) -> None:
        await client.create(CONFIGMAPS, config("a"), ns, dry_run=True)
        with pytest.raises(NotFound):
            await client.get(CONFIGMAPS, "a", ns)

    run(api, script)


def test_refusals_are_told_apart(api: ApiProcess) -> None:
    async def script(client: Client, ns: str) -> None:
        made = await client.create(CONFIGMAPS, config("a"), ns)
        with pytest.raises(AlreadyExists):
            await client.create(CONFIGMAPS, config("a"), ns)
        await client.patch(CONFIGMAPS, "a", ns, {"data": {"x": "1"}})
        with pytest.raises(Conflict):
            await client.replace(CONFIGMAPS, made | {"data": {"x": "2"}})
        with pytest.raises(Conflict):
            await client.delete(CONFIGMAPS, "a", ns, uid="another")
        with pytest.raises(Invalid) as caught:
            await client.create(CONFIGMAPS, config("Not A Name"), ns)
        assert (caught.value.code, caught.value.reason) == (422, "Invalid")

    run(api, script)


def test_a_wrong_token_is_refused(api: ApiProcess) -> None:
    async def script(client: Client, ns: str) -> None:
        good = client.config
        bad = ClientConfig(server=good.server, ca=good.ca, token="wrong")
        async with Client(bad) as stranger:
            with pytest.raises(ApiError) as caught:
                await stranger.list(CONFIGMAPS, ns)
        assert caught.value.code == 401

    run(api, script)


def test_an_authority_that_is_not_ours_is_not_trusted(api: ApiProcess, tmp_path: object) -> None:
    async def script(client: Client, ns: str) -> None:
        good = client.config
        stranger = ClientConfig(
            server=good.server.replace("127.0.0.1", "127.0.0.2"), ca=good.ca, token=good.token
        )
        async with Client(stranger) as other:
            with pytest.raises(Unreachable):
                await other.list(CONFIGMAPS, ns)

    run(api, script)


def test_a_watch_brings_every_change_in_order(api: ApiProcess) -> None:
    async def script(client: Client, ns: str) -> None:
        start = (await client.list(CONFIGMAPS, ns)).resource_version
        await client.create(CONFIGMAPS, config("a"), ns)
        await client.patch(CONFIGMAPS, "a", ns, {"data": {"x": "1" * 300_000}})
        await client.delete(CONFIGMAPS, "a", ns)
        seen: list[WatchEvent] = []
        async for event in client.watch(CONFIGMAPS, ns, resource_version=start):
            if event.kind != "BOOKMARK":
                seen.append(event)
            if event.kind == "DELETED":
                break
        assert [event.kind for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
        assert len(seen[1].object["data"]["x"]) == 300_000

    run(api, script)


def test_a_watch_from_too_far_back_is_gone(api: ApiProcess) -> None:
    async def script(client: Client, ns: str) -> None:
        # Not a version of this server: older than all that it remembers, or never given out.
        stream = client.watch(CONFIGMAPS, ns, resource_version="999999999")
        with pytest.raises((Gone, ApiError)):
            await anext(stream)

    run(api, script)

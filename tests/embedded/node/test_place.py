"""The place of a Pod on the node: made though something fails at first, and taken away whole."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from embedded.node.behaviour import NodeBehaviour
from embedded.node.changes import Changes
from embedded.node.context import NodeContext
from embedded.node.network.addresses import AddressPool
from embedded.node.pods.events import EventContent
from embedded.node.pods.place import PodPlace
from embedded.runtime.model import Sandbox
from embedded.runtime.users import Ids
from tests.embedded.node.cluster import Json, pod

NETWORK, OWN = IPv4Network("10.244.0.0/24"), IPv4Address("10.244.0.1")


class Node:
    """The node as a Pod's place sees it, without the box behind it."""

    def __init__(self, directory: Path) -> None:
        self.config = SimpleNamespace(
            state_dir=directory, address=str(OWN), cluster_domain="cluster.local", images=()
        )
        self.users = Ids(ranges=((0, 1),))
        self.runtime = self.events = self.tokens = self
        self.addresses = AddressPool(NETWORK, frozenset({OWN}))
        self.changes, self.behaviour, self.claims = Changes(), NodeBehaviour(), None
        self.sandboxes: list[str] = []
        self.notes: list[EventContent] = []

    async def create_sandbox(self, name: str, address: str, hostname: str) -> Sandbox:
        self.sandboxes.append(name)
        numbers = {"net": -1, "ipc": -1, "uts": -1}
        return Sandbox(name=name, address=address, hostname=hostname, **numbers)

    async def remove_sandbox(self, sandbox: Sandbox) -> None:
        self.sandboxes.remove(sandbox.name)

    def record(self, _pod: Json, note: EventContent) -> None:
        self.notes.append(note)

    def forget(self, _uid: str) -> None:
        """No token was given out."""


def place(node: Node, blocked: Any = None) -> PodPlace:
    body = pod(volumes=[{"name": "scratch", "emptyDir": {}}])
    surroundings = cast(NodeContext, node)
    return PodPlace(surroundings, body, asyncio.Event(), blocked or (lambda: None))


def test_nothing_is_left_of_a_pod_that_went(tmp_path: Path) -> None:
    node = Node(tmp_path)

    async def run() -> None:
        made = place(node)
        setup = await made.make()
        assert setup is not None
        assert {p.name for p in setup.directory.iterdir()} > {"hosts", "resolv.conf", "volumes"}
        await made.take_down()

    asyncio.run(run())
    assert not node.sandboxes
    assert list((tmp_path / "pods").iterdir()) == []


def test_files_that_cannot_be_written_are_tried_again(tmp_path: Path) -> None:
    node = Node(tmp_path)
    in_the_way = tmp_path / "pods"
    in_the_way.write_text("")

    async def run() -> None:
        async with asyncio.timeout(60):
            assert await place(node, blocked=in_the_way.unlink).make() is not None

    asyncio.run(run())
    (note,) = node.notes
    assert note.reason == "FailedCreatePodSandBox"
    assert len(node.sandboxes) == 1


class Mending(Node):
    """A node on which what is in the way goes once it was complained of."""

    in_the_way: Path

    def record(self, _pod: Json, note: EventContent) -> None:
        super().record(_pod, note)
        self.in_the_way.unlink()
        self.in_the_way.with_suffix(".away").rename(self.in_the_way)


def test_new_content_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    node = Mending(tmp_path)
    labels = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    body = pod(volumes=[{"name": "fields", "downwardAPI": {"items": labels}}])

    async def run() -> str:
        made = PodPlace(cast(NodeContext, node), body, asyncio.Event(), lambda: None)
        setup = await made.make()
        assert setup is not None
        volume = node.in_the_way = setup.directory / "volumes" / "fields"
        volume.rename(volume.with_suffix(".away"))
        volume.write_text("")
        made.pod = {**body, "metadata": {**body["metadata"], "labels": {"new": "yes"}}}
        made.refresh_fields()
        async with asyncio.timeout(60):
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        return (volume / "labels").read_text()

    assert asyncio.run(run()) == 'new="yes"'
    assert [note.reason for note in node.notes] == ["FailedMount"]

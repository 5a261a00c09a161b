"""A cluster to test controllers in: the API server, the controllers, and a stand-in kubelet."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from embedded.client import NAMESPACES, NODES, PODS, Client, Informer, Informers, Json, Resource
from embedded.client.client import PatchKind, Propagation

T = TypeVar("T")
Items = Mapping[str, Json]
DEADLINE = 60.0
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NODE = "the-node"


class World:
    """Synchronous access to the cluster, each test in a namespace of its own."""

    def __init__(self, kubeconfig: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.client = Client.from_kubeconfig(kubeconfig)
        self._numbers = itertools.count(1)
        self._informers = Informers(self.client)
        self._changed: asyncio.Condition = asyncio.Condition()
        self._background = self._loop.create_task(self._follow())

    def close(self) -> None:
        async def end() -> None:
            self._background.cancel()
            await asyncio.gather(self._background, return_exceptions=True)
            await self.client.close()

        self.do(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def do(self, step: Coroutine[Any, Any, T]) -> T:
        """Run one step on the loop."""
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(DEADLINE + 5)

    def namespace(self) -> str:
        """Make a fresh namespace."""
        name = f"test-{next(self._numbers)}"
        self.create(NAMESPACES, {"metadata": {"name": name}})
        return name

    def create(self, resource: Resource, obj: Json, namespace: str | None = None) -> Json:
        head = {"apiVersion": resource.api_version, "kind": resource.kind}
        return self.do(self.client.create(resource, head | obj, namespace))

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Json:
        return self.do(self.client.get(resource, name, namespace))

    def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        body: Json,
        subresource: str = "",
        kind: PatchKind = "merge",
    ) -> Json:
        return self.do(
            self.client.patch(resource, name, namespace, body, kind, subresource=subresource)
        )

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        propagation: Propagation | None = None,
    ) -> Json:
        return self.do(self.client.delete(resource, name, namespace, propagation=propagation))

    def eventually(
        self, resource: Resource, namespace: str, met: Callable[[Items], object], what: str
    ) -> Items:
        """Wait until the objects of a namespace, by name, meet a condition; give them."""
        return self.do(self._eventually(resource, namespace, met, what))

    async def _eventually(
        self, resource: Resource, namespace: str, met: Callable[[Items], object], what: str
    ) -> Items:
        informer = self._watched(resource)
        await informer.synced()

        def items() -> Items:
            return {obj["metadata"]["name"]: obj for obj in informer.in_namespace(namespace)}

        try:
            async with asyncio.timeout(DEADLINE), self._changed:
                await self._changed.wait_for(lambda: met(items()))
        except TimeoutError:
            raise AssertionError(f"{what}: last seen {_brief(items())}") from None
        return items()

    def _watched(self, resource: Resource) -> Informer:
        informer = self._informers.of(resource)
        if not getattr(informer, "announces", False):
            informer.announces = True  # type: ignore[attr-defined]
            informer.add_handler(self._announce)
        return informer

    def _announce(self, _: str, __: Json) -> None:
        self._loop.create_task(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _follow(self) -> None:
        async with asyncio.TaskGroup() as group:
            await self._informers.start(group)
            await asyncio.Event().wait()

    def run_pod(
        self,
        pod: Json,
        ready: bool = True,
        phase: str = "Running",
        since: datetime = LONG_AGO,
    ) -> Json:
        """Say of a Pod what a kubelet would say, once it is placed."""
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        self.eventually(
            PODS,
            namespace,
            lambda items: name in items and bool(items[name]["spec"].get("nodeName")),
            f"{name} is not placed",
        )
        return self.patch(PODS, name, namespace, _pod_status(ready, phase, since), "status")

    def end_pod(self, pod: Json) -> None:
        """Confirm that a terminating Pod has ended, as a kubelet does."""
        metadata = pod["metadata"]
        self.do(
            self.client.delete(
                PODS, metadata["name"], metadata["namespace"], grace=0, uid=metadata["uid"]
            )
        )

    def serve_all(self) -> None:
        """Be the kubelet of every namespace from now on: start and end Pods as they come."""
        self.do(self._serve_all())

    async def _serve_all(self) -> None:
        self._watched(PODS).add_handler(self._serve)
        await self.client.create(
            NODES, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        )

    def _serve(self, kind: str, pod: Json) -> None:
        if kind != "DELETED" and "manual" not in (pod["metadata"].get("annotations") or {}):
            self._loop.create_task(self._act(pod))

    async def _act(self, pod: Json) -> None:
        metadata = pod["metadata"]
        name, namespace, uid = metadata["name"], metadata["namespace"], metadata["uid"]
        if not pod["spec"].get("nodeName"):
            return
        if metadata.get("deletionTimestamp"):
            await self.client.delete(PODS, name, namespace, grace=0, uid=uid)
        elif not (pod.get("status") or {}).get("podIP"):
            phase = (metadata.get("annotations") or {}).get("ends", "Running")
            status = _pod_status(phase == "Running", phase)
            await self.client.patch(PODS, name, namespace, status, subresource="status")


_addresses = itertools.count(1)


def _pod_status(ready: bool, phase: str, since: datetime = LONG_AGO) -> Json:
    number = next(_addresses)
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    address = f"10.244.{number // 250 + 1}.{number % 250 + 1}"
    return {"status": {"phase": phase, "podIP": address, "conditions": [condition]}}


def _brief(items: Items) -> str:
    return repr({name: obj.get("status") or obj.get("data") for name, obj in items.items()})

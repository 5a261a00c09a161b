"""Scheduler: gives each Pod a node. There is one node, so there is nothing to weigh."""

from __future__ import annotations

from embedded.client import NODES, PODS, Conflict, Json, Reconciler
from embedded.controllers.cluster import Cluster
from embedded.controllers.ownership import Key
from embedded.controllers.pods import is_terminating

_NAME = "default-scheduler"


class Scheduler:
    """Binds every Pod without a node to the first one that takes Pods."""

    def __init__(self, cluster: Cluster) -> None:
        self._client = cluster.client
        self._pods = cluster.of(PODS)
        self._nodes = cluster.of(NODES)
        self._queue: Reconciler[Key] = Reconciler("scheduler", self._reconcile)
        self.run = self._queue.run
        self._pods.add_handler(self._on_pod)
        self._nodes.add_handler(self._on_node)

    async def _reconcile(self, key: Key) -> None:
        pod = self._pods.get(*key)
        node = self._free_node()
        if pod is None or node is None or not _waits(pod):
            return
        namespace, name = key
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name, "namespace": namespace, "uid": pod["metadata"]["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        try:
            await self._client.create(PODS, binding, namespace, subresource="binding")
        except Conflict:
            # Bound meanwhile, or replaced by another of its name: an event tells which.
            return

    def _free_node(self) -> str | None:
        for node in self._nodes.items.values():
            if not (node.get("spec") or {}).get("unschedulable"):
                return str(node["metadata"]["name"])
        return None

    def _on_pod(self, kind: str, pod: Json) -> None:
        if kind != "DELETED" and _waits(pod):
            self._queue.enqueue((pod["metadata"]["namespace"], pod["metadata"]["name"]))

    def _on_node(self, kind: str, _: Json) -> None:
        if kind != "DELETED":
            for pod in self._pods.items.values():
                self._on_pod("ADDED", pod)


def _waits(pod: Json) -> bool:
    spec = pod["spec"]
    ours = spec.get("schedulerName", _NAME) == _NAME
    return ours and not spec.get("nodeName") and not is_terminating(pod)

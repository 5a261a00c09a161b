"""Scheduler: gives each Pod a node. There is one node, so there is nothing to weigh."""

from __future__ import annotations

import time
from collections.abc import Iterable

from embedded.client import NODES, PODS, PVCS, Conflict, Json, Reconciler
from embedded.controllers import conditions
from embedded.controllers.cluster import Cluster
from embedded.controllers.events import Note, tell
from embedded.controllers.ownership import Key
from embedded.controllers.pods import is_terminating
from embedded.controllers.storage_classes import CLAIM_USERS, Classes
from embedded.controllers.taints import NO_SCHEDULE, untolerated
from embedded.controllers.volumes import claim_keys

_NAME = "default-scheduler"
_PATIENCE = 1.0
"""Seconds after which it is said that a Pod has no node: most get one within a few milliseconds."""

_CORDONED: Json = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class Scheduler:
    """Binds every Pod without a node to the first one that takes it, once its claims are bound."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._client = cluster.client
        self._pods = cluster.of(PODS)
        self._nodes = cluster.of(NODES)
        self._claims = cluster.of(PVCS)
        self._classes = Classes(cluster)
        self._waiting: dict[Key, float] = {}
        self._queue: Reconciler[Key] = Reconciler("scheduler", self._reconcile)
        self.run = self._queue.run
        self._pods.add_handler(self._on_pod)
        self._nodes.add_handler(self._on_node)
        self._claims.add_handler(self._on_claim)

    async def _reconcile(self, key: Key) -> float | None:
        pod = self._pods.get(*key)
        if pod is None or not _waits(pod):
            self._waiting.pop(key, None)
            return None
        reason = self._claim_problem(pod)
        node = None if reason is not None else self._node_for(pod)
        if node is None:
            return await self._postpone(key, pod, reason)
        self._waiting.pop(key, None)
        await self._bind(key, pod, node)
        return None

    async def _bind(self, key: Key, pod: Json, node: str) -> None:
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

    async def _postpone(self, key: Key, pod: Json, reason: str | None) -> float | None:
        """Say why a Pod has no node, once it has had none for a while."""
        since = self._waiting.setdefault(key, time.monotonic())
        left = since + _PATIENCE - time.monotonic()
        if left > 0:
            return left
        if reason != "":
            message = self._words(pod, reason)
            note = Note(reason="FailedScheduling", message=message, component=_NAME)
            await self._note_condition(pod, message)
            await tell(self._cluster, pod, note)
        return None

    async def _note_condition(self, pod: Json, message: str) -> None:
        status = pod.get("status") or {}
        found = conditions.update(status, "PodScheduled", False, "Unschedulable", message)
        others = [item for item in status.get("conditions") or [] if item["type"] != "PodScheduled"]
        await self._cluster.set_status(PODS, pod, status | {"conditions": [*others, found]})

    def _claim_problem(self, pod: Json) -> str | None:
        """What is wrong with the claims of a Pod; empty where a volume is on its way."""
        on_its_way = False
        for key in claim_keys(pod):
            claim = self._claims.get(*key)
            if claim is None:
                return f'persistentvolumeclaim "{key[1]}" not found'
            if is_terminating(claim):
                return f'persistentvolumeclaim "{key[1]}" is being deleted'
            if (claim.get("status") or {}).get("phase") == "Bound":
                continue
            if not self._classes.waits_for_consumer(claim):
                return "pod has unbound immediate PersistentVolumeClaims"
            on_its_way = True
        return "" if on_its_way else None

    def _node_for(self, pod: Json) -> str | None:
        for node in self._nodes.items.values():
            if not _refusal(node, pod):
                return str(node["metadata"]["name"])
        return None

    def _words(self, pod: Json, reason: str | None) -> str:
        """The sentence of a real scheduler, for `reason` or for what each node says."""
        nodes = list(self._nodes.items.values())
        if not nodes:
            return "no nodes available to schedule pods"
        number = len(nodes)
        said = reason or ", ".join(_counted(_refusal(node, pod) for node in nodes))
        return (
            f"0/{number} nodes are available: {said}. no new claims to deallocate, preemption: "
            f"0/{number} nodes are available: {number} Preemption is not helpful for scheduling."
        )

    def _on_pod(self, kind: str, pod: Json) -> None:
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        if kind == "DELETED":
            self._waiting.pop(key, None)
        elif _waits(pod):
            self._queue.enqueue(key)

    def _on_node(self, kind: str, _: Json) -> None:
        if kind != "DELETED":
            for pod in self._pods.items.values():
                self._on_pod("ADDED", pod)

    def _on_claim(self, _: str, claim: Json) -> None:
        key = (claim["metadata"]["namespace"], claim["metadata"]["name"])
        for pod in self._pods.by_index(CLAIM_USERS, key):
            self._on_pod("ADDED", pod)


def _refusal(node: Json, pod: Json) -> str:
    """Why a node does not take a Pod; empty where it does."""
    spec = node.get("spec") or {}
    if spec.get("unschedulable") and untolerated([_CORDONED], pod, NO_SCHEDULE):
        return "node(s) were unschedulable"
    taint = untolerated(spec.get("taints") or [], pod, NO_SCHEDULE)
    if taint is not None:
        return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    return ""


def _counted(words: Iterable[str]) -> list[str]:
    found = sorted(words)
    return [f"{found.count(word)} {word}" for word in dict.fromkeys(found)]


def _waits(pod: Json) -> bool:
    spec = pod["spec"]
    ours = spec.get("schedulerName", _NAME) == _NAME
    return ours and not spec.get("nodeName") and not is_terminating(pod)

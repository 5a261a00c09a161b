"""Nodes that say nothing any more: NotReady, tainted, and their Pods not ready.

Words and order are those of Kubernetes' node lifecycle controller. A sign of life is a renewal of
the node's Lease, or a status that it posts.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from embedded.client import LEASES, NODES, PODS, Json, Reconciler
from embedded.controllers import conditions, pods
from embedded.controllers.cluster import Cluster, together
from embedded.timestamps import now

_LEASES = "kube-node-lease"
_UNREACHABLE, _NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
_OURS = (_UNREACHABLE, _NOT_READY)
_EFFECTS = ("NoSchedule", "NoExecute")
_STALL = 5.0
"""Seconds by which a look may be late before this process itself counts as the one that hung."""
_log = logging.getLogger(__name__)


@dataclass
class _Sign:
    """The last sign of life of a node: what it was, when it was seen, and when to look again."""

    stamps: tuple[str, str]
    seen: float
    due: float


class NodeLifecycle:
    """Watches the signs of life of all nodes that have said that they are Ready once."""

    def __init__(self, cluster: Cluster, grace: float) -> None:
        self._cluster = cluster
        self._grace = grace
        self._nodes = cluster.of(NODES)
        self._leases = cluster.of(LEASES)
        self._pods = cluster.of(PODS)
        self._signs: dict[str, _Sign] = {}
        self._queue: Reconciler[str] = Reconciler("node lifecycle", self._reconcile)
        self.run = self._queue.run
        self._nodes.add_handler(self._on_node)
        self._leases.add_handler(self._on_lease)

    async def _reconcile(self, name: str) -> float | None:
        node = self._nodes.get("", name)
        ready = conditions.find((node or {}).get("status") or {}, "Ready")
        if node is None or ready is None:
            self._signs.pop(name, None)
            return None
        left = self._left(name, ready)
        if left > 0:
            await self._taint(node, ready["status"])
            return left
        if ready["status"] == "Unknown":
            await self._taint(node, "Unknown")
        else:
            await self._give_up(node, ready)
        return None

    def _left(self, name: str, ready: Json) -> float:
        """Seconds until the node counts as hung, unless a sign of life comes."""
        moment = time.monotonic()
        lease = self._leases.get(_LEASES, name) or {}
        stamps = (
            str((lease.get("spec") or {}).get("renewTime") or ""),
            str(ready.get("lastHeartbeatTime") or ""),
        )
        sign = self._signs.get(name)
        if sign is None or stamps != sign.stamps:
            sign = self._signs[name] = _Sign(stamps, moment, moment + self._grace)
        elif ready["status"] != "Unknown" and moment > sign.due + _STALL:
            # It was this process, or the whole machine, that stood still.
            late = moment - sign.due
            _log.warning("node %s was looked at %.0f s late: it gets its time anew", name, late)
            sign = self._signs[name] = _Sign(stamps, moment, moment + self._grace)
        return sign.seen + self._grace - moment

    async def _give_up(self, node: Json, ready: Json) -> None:
        name = node["metadata"]["name"]
        _log.warning("node %s gave no sign of life for %.0f s", name, self._grace)
        text = "Kubelet stopped posting node status."
        moment = now()
        unknown = ready | {
            "status": "Unknown",
            "reason": "NodeStatusUnknown",
            "message": text,
            "lastTransitionTime": moment,
        }
        status = node.get("status") or {}
        others = [item for item in status["conditions"] if item["type"] != "Ready"]
        await self._cluster.set_status(NODES, node, status | {"conditions": [*others, unknown]})
        await self._taint(node, "Unknown")
        mine = [pod for pod in self._pods.items.values() if pod["spec"].get("nodeName") == name]
        await together(*(self._not_ready(pod) for pod in mine if pods.is_ready(pod)))

    async def _taint(self, node: Json, ready: str) -> None:
        """Make the taints that follow from the condition those of the node."""
        key = {"Unknown": _UNREACHABLE, "False": _NOT_READY}.get(ready)
        before = (node.get("spec") or {}).get("taints") or []
        wanted = [taint for taint in before if taint["key"] not in _OURS or taint["key"] == key]
        present = {taint.get("effect") for taint in wanted if taint["key"] == key}
        for effect in _EFFECTS:
            if key and effect not in present:
                wanted.append({"key": key, "effect": effect, "timeAdded": now()})
        if wanted != before:
            change = {"spec": {"taints": wanted or None}}
            await self._cluster.merge(NODES, node, change)

    async def _not_ready(self, pod: Json) -> None:
        status = pod.get("status") or {}
        changed = [
            item | {"status": "False", "lastTransitionTime": now()}
            if item["type"] == "Ready"
            else item
            for item in status.get("conditions") or []
        ]
        await self._cluster.set_status(PODS, pod, status | {"conditions": changed})

    def _on_node(self, _: str, node: Json) -> None:
        self._queue.enqueue(node["metadata"]["name"])

    def _on_lease(self, kind: str, lease: Json) -> None:
        if kind != "DELETED" and lease["metadata"]["namespace"] == _LEASES:
            self._queue.enqueue(lease["metadata"]["name"])

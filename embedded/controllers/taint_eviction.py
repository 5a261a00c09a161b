"""Pods on nodes whose taints they do not tolerate, or not for ever, are deleted."""

from __future__ import annotations

from datetime import UTC, datetime

from embedded.client import NODES, PODS, Json, Reconciler
from embedded.controllers.cluster import Cluster
from embedded.controllers.events import Note, tell
from embedded.controllers.ownership import Key
from embedded.controllers.pods import is_finished, is_terminating, seconds_since
from embedded.controllers.taints import tolerates

_COMPONENT = "taint-eviction-controller"


class TaintEviction:
    """Deletes a Pod when the shortest of its tolerations has run out."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._nodes = cluster.of(NODES)
        self._pods = cluster.of(PODS)
        self._seen: dict[tuple[str, str], str] = {}
        self._queue: Reconciler[Key] = Reconciler("taint eviction", self._reconcile)
        self.run = self._queue.run
        self._nodes.add_handler(self._on_node)
        self._pods.add_handler(self._on_pod)

    async def _reconcile(self, key: Key) -> float | None:
        pod = self._pods.get(*key)
        if pod is None or is_terminating(pod) or is_finished(pod):
            return None
        left = self._left(pod)
        if left is None or left > 0:
            return left
        message = f"Marking for deletion Pod {'/'.join(key)}"
        note = Note(
            reason="TaintManagerEviction", message=message, component=_COMPONENT, kind="Normal"
        )
        await tell(self._cluster, pod, note)
        await self._cluster.delete(PODS, pod)
        return None

    def _left(self, pod: Json) -> float | None:
        """Seconds until the Pod has to go; None where it may stay."""
        waits = [self._wait(taint, pod) for taint in self._taints(pod["spec"].get("nodeName"))]
        return min((wait for wait in waits if wait is not None), default=None)

    def _wait(self, taint: Json, pod: Json) -> float | None:
        given = [t for t in pod["spec"].get("tolerations") or [] if tolerates(t, taint)]
        if not given:
            return 0.0
        limits = [t["tolerationSeconds"] for t in given if t.get("tolerationSeconds") is not None]
        if not limits:
            return None
        return float(max(0.0, min(limits) - seconds_since(self._since(taint, pod))))

    def _since(self, taint: Json, pod: Json) -> str:
        """The moment from which a taint counts for a Pod: it may have come to it later."""
        began = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        first = self._seen.setdefault((pod["spec"]["nodeName"], str(taint)), began)
        moment = str(taint.get("timeAdded") or first)
        return max(moment, str((pod.get("status") or {}).get("startTime") or ""))

    def _taints(self, name: str | None) -> list[Json]:
        node = self._nodes.get("", name) if name else None
        given = ((node or {}).get("spec") or {}).get("taints") or []
        return [taint for taint in given if taint.get("effect") == "NoExecute"]

    def _on_node(self, kind: str, node: Json) -> None:
        name = node["metadata"]["name"]
        if kind == "DELETED" or not self._taints(name):
            self._seen = {key: moment for key, moment in self._seen.items() if key[0] != name}
            return
        for key, pod in self._pods.items.items():
            if pod["spec"].get("nodeName") == name:
                self._queue.enqueue(key)

    def _on_pod(self, kind: str, pod: Json) -> None:
        if kind != "DELETED" and self._taints(pod["spec"].get("nodeName")):
            self._queue.enqueue((pod["metadata"]["namespace"], pod["metadata"]["name"]))

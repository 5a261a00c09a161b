"""ReplicaSet: as many Pods from one template as it says."""

from __future__ import annotations

from embedded.client import (
    PODS,
    REPLICASETS,
    ApiError,
    Conflict,
    Json,
    NotFound,
    Reconciler,
    Terminating,
)
from embedded.controllers import conditions, pods
from embedded.controllers.cluster import Cluster, together
from embedded.controllers.ownership import (
    Key,
    claim,
    enqueue_controller,
    enqueue_itself,
    index_by_controller,
    matches,
)
from embedded.controllers.pod_creation import create_pod

FAILURE = "ReplicaFailure"
"""The condition of a ReplicaSet, and of its Deployment, whose Pods are refused."""


class ReplicaSets:
    """Creates missing Pods, deletes surplus ones, and counts them in the status."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._sets = cluster.of(REPLICASETS)
        self._queue: Reconciler[Key] = Reconciler("replicaset", self._reconcile)
        self.run = self._queue.run
        index_by_controller(cluster.of(PODS))
        self._sets.add_handler(enqueue_itself(self._queue))
        cluster.of(PODS).add_handler(enqueue_controller("ReplicaSet", self._queue))
        cluster.of(PODS).add_handler(self._on_orphan)

    async def _reconcile(self, key: Key) -> float | None:
        replica_set = self._sets.get(*key)
        if replica_set is None:
            return None
        try:
            if not pods.is_terminating(replica_set):
                await self._scale(replica_set)
        except ApiError as error:
            if not isinstance(error, Conflict | NotFound | Terminating):
                await self._report(replica_set, error)
            raise
        return await self._report(replica_set)

    async def _scale(self, replica_set: Json) -> None:
        mine = await claim(self._cluster, PODS, replica_set)
        active = [pod for pod in mine if pods.is_active(pod)]
        surplus = len(active) - _wanted(replica_set)
        if surplus < 0:
            await together(*(self._create(replica_set) for _ in range(-surplus)))
        elif surplus > 0:
            victims = _by_loss(active)[:surplus]
            await together(*(self._cluster.delete(PODS, pod) for pod in victims))

    async def _create(self, replica_set: Json) -> None:
        name = replica_set["metadata"]["name"]
        template = replica_set["spec"]["template"]
        pod = pods.from_template(template, replica_set, {"generateName": f"{name}-"})
        await create_pod(self._cluster, replica_set, pod)

    async def _report(self, replica_set: Json, error: ApiError | None = None) -> float | None:
        mine = await claim(self._cluster, PODS, replica_set)
        active = [pod for pod in mine if pods.is_active(pod)]
        min_ready = int(replica_set["spec"].get("minReadySeconds") or 0)
        counts = {
            "replicas": len(active),
            "fullyLabeledReplicas": len(active),
            "readyReplicas": sum(map(pods.is_ready, active)),
            "availableReplicas": sum(pods.is_available(pod, min_ready) for pod in active),
        }
        status: Json = {name: count for name, count in counts.items() if count}
        status["replicas"] = len(active)
        if error is not None:
            failure = _failure(replica_set, len(active), error)
            status["conditions"] = [failure]
        status["observedGeneration"] = replica_set["metadata"].get("generation", 1)
        await self._cluster.set_status(REPLICASETS, replica_set, status)
        return pods.next_look(active, min_ready)

    def _on_orphan(self, kind: str, pod: Json) -> None:
        metadata = pod["metadata"]
        if kind == "DELETED" or metadata.get("ownerReferences") or not metadata.get("labels"):
            return
        for (namespace, name), replica_set in self._sets.items.items():
            if namespace == metadata["namespace"] and matches(
                replica_set["spec"]["selector"], metadata["labels"]
            ):
                self._queue.enqueue((namespace, name))


def _wanted(replica_set: Json) -> int:
    return int(replica_set["spec"].get("replicas", 1))


def _failure(replica_set: Json, active: int, error: ApiError) -> Json:
    """The condition that says why Pods are missing, or still there."""
    reason = "FailedCreate" if active < _wanted(replica_set) else "FailedDelete"
    old = replica_set.get("status") or {}
    return conditions.update(old, FAILURE, value=True, reason=reason, message=error.message)


def _by_loss(active: list[Json]) -> list[Json]:
    """Pods with the least to lose first; among equals, the youngest."""
    youngest_first = sorted(active, key=_birth, reverse=True)
    return sorted(youngest_first, key=_worth)


def _birth(pod: Json) -> tuple[str, str]:
    return pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]


def _worth(pod: Json) -> tuple[bool, bool, bool]:
    assigned = bool(pod["spec"].get("nodeName"))
    return assigned, pods.phase(pod) == "Running", pods.is_ready(pod)

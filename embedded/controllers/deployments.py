"""Deployment: ReplicaSets, one per revision of its template, scaled against each other."""

from __future__ import annotations

from embedded.client import DEPLOYMENTS, PODS, REPLICASETS, AlreadyExists, Json, Reconciler
from embedded.controllers import deployment_status, pods, rolling
from embedded.controllers.cluster import Cluster, together
from embedded.controllers.ownership import (
    Key,
    claim,
    controller_of,
    controller_reference,
    enqueue_controller,
    enqueue_itself,
    index_by_controller,
    owned,
)

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
WANTED = "deployment.kubernetes.io/desired-replicas"


class Deployments:
    """Rolls every Deployment forward to its current template, and tells how far it is."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._deployments = cluster.of(DEPLOYMENTS)
        self._sets = cluster.of(REPLICASETS)
        self._queue: Reconciler[Key] = Reconciler("deployment", self._reconcile)
        self.run = self._queue.run
        index_by_controller(self._sets)
        index_by_controller(cluster.of(PODS))
        self._deployments.add_handler(enqueue_itself(self._queue))
        self._sets.add_handler(enqueue_controller("Deployment", self._queue))
        cluster.of(PODS).add_handler(self._on_pod)

    async def _reconcile(self, key: Key) -> float | None:
        deployment = self._deployments.get(*key)
        if deployment is None:
            return None
        sets = sorted(await claim(self._cluster, REPLICASETS, deployment), key=_revision)
        if not pods.is_terminating(deployment):
            await self._roll(deployment, sets)
        return await self._report(key)

    async def _roll(self, deployment: Json, sets: list[Json]) -> None:
        digest = pods.template_hash(deployment["spec"]["template"])
        new = next((s for s in sets if s["metadata"]["labels"].get(HASH) == digest), None)
        old = [s for s in sets if s is not new]
        if deployment["spec"].get("paused"):
            await self._scale_paused(deployment, sets)
        elif (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            await self._recreate(deployment, new, old, digest)
        else:
            await self._update(deployment, new, old, digest)
        await self._forget_history(deployment, old)

    async def _update(self, deployment: Json, new: Json | None, old: list[Json], name: str) -> None:
        bounds = rolling.limits(deployment["spec"])
        old_sizes = [_size(s) for s in old]
        if new is None:
            start = rolling.new_size(bounds, rolling.Size(spec=0, available=0), old_sizes)
            await self._create(deployment, old, name, start)
            return
        await self._renumber(deployment, new, old)
        new_size = _size(new)
        goals = rolling.old_sizes(bounds, new_size, old_sizes)
        await together(
            self._scale(new, rolling.new_size(bounds, new_size, old_sizes)),
            *(self._scale(s, goal) for s, goal in zip(old, goals, strict=True)),
        )

    async def _recreate(
        self, deployment: Json, new: Json | None, old: list[Json], name: str
    ) -> None:
        await together(*(self._scale(s, 0) for s in old))
        if any(not pods.is_finished(pod) for s in old for pod in owned(self._cluster.of(PODS), s)):
            return
        wanted = int(deployment["spec"].get("replicas", 1))
        if new is None:
            await self._create(deployment, old, name, wanted)
        else:
            await self._renumber(deployment, new, old)
            await self._scale(new, wanted)

    async def _scale_paused(self, deployment: Json, sets: list[Json]) -> None:
        # In the midst of a rollout the proportions are left as they are.
        active = [s for s in sets if s["spec"].get("replicas", 1)] or sets[-1:]
        if len(active) == 1:
            await self._scale(active[0], int(deployment["spec"].get("replicas", 1)))

    async def _create(self, deployment: Json, old: list[Json], digest: str, size: int) -> None:
        revision = str(max(map(_revision, old), default=0) + 1)
        try:
            await self._cluster.create(
                REPLICASETS, _replica_set(deployment, digest, revision, size)
            )
        except AlreadyExists:
            # It is there but not ours yet, or not in our copy yet: its event brings us back.
            return
        await self._note_revision(deployment, revision)

    async def _renumber(self, deployment: Json, new: Json, old: list[Json]) -> None:
        """Make a template that is returned to the newest revision."""
        newest = max(map(_revision, old), default=0)
        revision = _revision(new)
        if revision <= newest:
            revision = newest + 1
            note = {"metadata": {"annotations": {REVISION: str(revision)}}}
            await self._cluster.merge(REPLICASETS, new, note)
        await self._note_revision(deployment, str(revision))

    async def _note_revision(self, deployment: Json, revision: str) -> None:
        if (deployment["metadata"].get("annotations") or {}).get(REVISION) != revision:
            note = {"metadata": {"annotations": {REVISION: revision}}}
            await self._cluster.merge(DEPLOYMENTS, deployment, note)

    async def _scale(self, replica_set: Json, size: int) -> None:
        if replica_set["spec"].get("replicas", 1) != size:
            await self._cluster.merge(REPLICASETS, replica_set, {"spec": {"replicas": size}})

    async def _forget_history(self, deployment: Json, old: list[Json]) -> None:
        limit = int(deployment["spec"].get("revisionHistoryLimit", 10))
        idle = [s for s in old if not s["spec"].get("replicas", 1) and not _pod_count(s)]
        surplus = idle[: max(0, len(idle) - limit)]
        await together(*(self._cluster.delete(REPLICASETS, s) for s in surplus))

    async def _report(self, key: Key) -> float | None:
        deployment = self._deployments.get(*key)
        if deployment is None:
            return None
        digest = pods.template_hash(deployment["spec"]["template"])
        sets = owned(self._sets, deployment)
        status = deployment_status.of(deployment, sets, lambda s: _is_of(s, digest))
        await self._cluster.set_status(DEPLOYMENTS, deployment, status)
        return deployment_status.seconds_to_deadline(deployment, status)

    def _on_pod(self, kind: str, pod: Json) -> None:
        # Only Recreate waits for Pods themselves; all else shows in the ReplicaSets.
        reference = controller_of(pod)
        if kind != "DELETED" or not reference or reference["kind"] != "ReplicaSet":
            return
        namespace = pod["metadata"]["namespace"]
        replica_set = self._sets.get(namespace, reference["name"])
        owner = controller_of(replica_set) if replica_set else None
        if owner:
            self._queue.enqueue((namespace, owner["name"]))


def _replica_set(deployment: Json, digest: str, revision: str, size: int) -> Json:
    spec = deployment["spec"]
    template = dict(spec["template"])
    metadata = dict(template.get("metadata") or {})
    metadata["labels"] = (metadata.get("labels") or {}) | {HASH: digest}
    template["metadata"] = metadata
    selector = dict(spec["selector"])
    selector["matchLabels"] = (selector.get("matchLabels") or {}) | {HASH: digest}
    replica_spec = {"replicas": size, "selector": selector, "template": template}
    if spec.get("minReadySeconds"):
        replica_spec["minReadySeconds"] = spec["minReadySeconds"]
    return {
        "apiVersion": REPLICASETS.api_version,
        "kind": REPLICASETS.kind,
        "metadata": {
            "name": f"{deployment['metadata']['name']}-{digest}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": metadata["labels"],
            "annotations": {REVISION: revision, WANTED: str(spec.get("replicas", 1))},
            "ownerReferences": [controller_reference(deployment)],
        },
        "spec": replica_spec,
    }


def _is_of(replica_set: Json, digest: str) -> bool:
    return bool((replica_set["metadata"].get("labels") or {}).get(HASH) == digest)


def _revision(replica_set: Json) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION) or 0)


def _size(replica_set: Json) -> rolling.Size:
    available = int((replica_set.get("status") or {}).get("availableReplicas") or 0)
    wanted = int(replica_set["spec"].get("replicas", 1))
    # Right after a scale-down the count is of before.
    return rolling.Size(spec=wanted, available=min(available, wanted))


def _pod_count(replica_set: Json) -> int:
    return int((replica_set.get("status") or {}).get("replicas") or 0)

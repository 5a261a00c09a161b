"""StatefulSet: Pods with names that last, made and renewed one after the other.

Old templates are not kept: a Pod that is made anew is of the current one, whatever the
partition says of its ordinal.
"""

from __future__ import annotations

from embedded.client import PODS, PVCS, STATEFULSETS, Json, Reconciler
from embedded.controllers import pods
from embedded.controllers.cluster import Cluster, together
from embedded.controllers.ownership import (
    Key,
    claim,
    controller_of,
    enqueue_controller,
    enqueue_itself,
    index_by_controller,
    owned,
)
from embedded.controllers.pod_creation import create_pod
from embedded.controllers.stateful_pods import REVISION, claims, ordinal, pod_of

_COLLISIONS = 0


class StatefulSets:
    """Keeps the Pods of each StatefulSet, in order or side by side."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._sets = cluster.of(STATEFULSETS)
        self._pods = cluster.of(PODS)
        self._claims = cluster.of(PVCS)
        self._queue: Reconciler[Key] = Reconciler("statefulset", self._reconcile)
        self.run = self._queue.run
        index_by_controller(self._pods)
        self._sets.add_handler(enqueue_itself(self._queue))
        self._pods.add_handler(enqueue_controller("StatefulSet", self._queue))
        self._pods.add_handler(self._on_foreign_pod)

    async def _reconcile(self, key: Key) -> float | None:
        stateful_set = self._sets.get(*key)
        if stateful_set is None:
            return None
        if not pods.is_terminating(stateful_set):
            await claim(self._cluster, PODS, stateful_set, lambda pod: _is_named(stateful_set, pod))
            await self._scale(stateful_set)
        return await self._report(stateful_set)

    async def _scale(self, stateful_set: Json) -> None:
        spec = stateful_set["spec"]
        start = int((spec.get("ordinals") or {}).get("start") or 0)
        wanted = range(start, start + int(spec.get("replicas", 1)))
        present = {
            number: pod
            for pod in owned(self._pods, stateful_set)
            if (number := ordinal(stateful_set, pod)) is not None
        }
        if spec.get("podManagementPolicy") == "Parallel":
            await together(*(self._keep(stateful_set, n, present.get(n)) for n in wanted))
        elif not await self._keep_in_order(stateful_set, wanted, present):
            return
        condemned = sorted((n for n in present if n not in wanted), reverse=True)
        if condemned:
            await self._condemn(stateful_set, [present[n] for n in condemned])
        elif (spec.get("updateStrategy") or {}).get("type") != "OnDelete":
            await self._renew(stateful_set, {n: present[n] for n in wanted if n in present})

    async def _keep(self, stateful_set: Json, number: int, pod: Json | None) -> bool:
        """Make sure that one Pod exists; True if it is there and ready."""
        if pod is None:
            await self._create(stateful_set, number)
            return False
        if pods.is_finished(pod) and not pods.is_terminating(pod):
            await self._cluster.delete(PODS, pod)
        return pods.is_active(pod) and self._is_available(stateful_set, pod)

    async def _keep_in_order(
        self, stateful_set: Json, wanted: range, present: dict[int, Json]
    ) -> bool:
        """Create the first Pod that is missing once all before it are ready."""
        for number in wanted:
            if not await self._keep(stateful_set, number, present.get(number)):
                return False
        return True

    async def _condemn(self, stateful_set: Json, surplus: list[Json]) -> None:
        if stateful_set["spec"].get("podManagementPolicy") == "Parallel":
            victims = [pod for pod in surplus if not pods.is_terminating(pod)]
        else:
            victims = [] if any(map(pods.is_terminating, surplus)) else surplus[:1]
        await together(*(self._cluster.delete(PODS, pod) for pod in victims))

    async def _renew(self, stateful_set: Json, present: dict[int, Json]) -> None:
        """Delete the highest Pod of an older template, unless one above is still coming up."""
        revision = _revision(stateful_set)
        for number, pod in sorted(present.items(), reverse=True):
            if number < _partition(stateful_set):
                return
            if pods.is_terminating(pod):
                return
            if pod["metadata"]["labels"].get(REVISION) != revision:
                await self._cluster.delete(PODS, pod)
                return
            if not self._is_available(stateful_set, pod):
                return

    async def _create(self, stateful_set: Json, number: int) -> None:
        namespace = stateful_set["metadata"]["namespace"]
        missing = [
            wanted
            for wanted in claims(stateful_set, number)
            if self._claims.get(namespace, wanted["metadata"]["name"]) is None
        ]
        await together(*(self._cluster.ensure(PVCS, wanted) for wanted in missing))
        pod = pod_of(stateful_set, number, _revision(stateful_set))
        await create_pod(self._cluster, stateful_set, pod)

    async def _report(self, stateful_set: Json) -> float | None:
        mine = [pod for pod in owned(self._pods, stateful_set) if _is_named(stateful_set, pod)]
        status = _status(stateful_set, mine)
        await self._cluster.set_status(STATEFULSETS, stateful_set, status)
        return pods.next_look(mine, int(stateful_set["spec"].get("minReadySeconds") or 0))

    def _is_available(self, stateful_set: Json, pod: Json) -> bool:
        return pods.is_available(pod, int(stateful_set["spec"].get("minReadySeconds") or 0))

    def _on_foreign_pod(self, _: str, pod: Json) -> None:
        # A Pod that is not ours may have held a name that we need, or match our selector.
        if controller_of(pod):
            return
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        owner = name.rpartition("-")[0]
        if self._sets.get(namespace, owner):
            self._queue.enqueue((namespace, owner))


def _is_named(stateful_set: Json, pod: Json) -> bool:
    return ordinal(stateful_set, pod) is not None


def _revision(stateful_set: Json) -> str:
    digest = pods.template_hash(stateful_set["spec"]["template"])
    return f"{stateful_set['metadata']['name']}-{digest}"


def _partition(stateful_set: Json) -> int:
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    return int((strategy.get("rollingUpdate") or {}).get("partition") or 0)


def _status(stateful_set: Json, mine: list[Json]) -> Json:
    old = stateful_set.get("status") or {}
    revision = _revision(stateful_set)
    current = old.get("currentRevision") or revision
    living = [pod for pod in mine if pods.is_active(pod)]
    min_ready = int(stateful_set["spec"].get("minReadySeconds") or 0)
    updated = _count(living, revision)
    if _is_rolled_out(stateful_set, living, updated):
        current = revision
    return {
        "replicas": len(mine),
        "readyReplicas": sum(map(pods.is_ready, living)),
        "availableReplicas": sum(pods.is_available(pod, min_ready) for pod in living),
        "currentReplicas": _count(living, current),
        "updatedReplicas": updated,
        "currentRevision": current,
        "updateRevision": revision,
        "collisionCount": _COLLISIONS,
        "observedGeneration": stateful_set["metadata"].get("generation", 1),
    }


def _is_rolled_out(stateful_set: Json, living: list[Json], updated: int) -> bool:
    spec = stateful_set["spec"]
    # By OnDelete nobody rolls anything out, so the first revision remains the current one.
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return False
    ready = sum(map(pods.is_ready, living))
    return updated == len(living) == ready == int(spec.get("replicas", 1))


def _count(living: list[Json], revision: str) -> int:
    return sum(pod["metadata"]["labels"].get(REVISION) == revision for pod in living)

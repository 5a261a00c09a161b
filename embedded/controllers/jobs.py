"""Job: Pods that run to completion, tried again a limited number of times."""

from __future__ import annotations

from embedded.client import JOBS, PODS, Json, Reconciler
from embedded.controllers import job_status, pods
from embedded.controllers.cluster import Cluster, together
from embedded.controllers.ownership import (
    Key,
    enqueue_controller,
    enqueue_itself,
    index_by_controller,
    owned,
)
from embedded.controllers.pod_creation import create_pod

_FIRST_RETRY = 1.0
_LAST_RETRY = 360.0


class Jobs:
    """Starts the Pods of each Job, and says when it is complete or has failed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._jobs = cluster.of(JOBS)
        self._pods = cluster.of(PODS)
        self._queue: Reconciler[Key] = Reconciler("job", self._reconcile)
        self.run = self._queue.run
        index_by_controller(self._pods)
        self._jobs.add_handler(enqueue_itself(self._queue))
        self._pods.add_handler(enqueue_controller("Job", self._queue))

    async def _reconcile(self, key: Key) -> float | None:
        job = self._jobs.get(*key)
        if job is None or pods.is_terminating(job):
            return None
        if job_status.finished_at(job):
            return await self._expire(job)
        delay = await self._advance(job)
        status = job_status.of(job, owned(self._pods, job))
        await self._cluster.set_status(JOBS, job, status)
        return delay

    async def _expire(self, job: Json) -> float | None:
        """Delete a finished Job once its time to live is over."""
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return None
        left = int(ttl) - pods.seconds_since(job_status.finished_at(job))
        if left > 0:
            return left
        await self._cluster.delete(JOBS, job)
        return None

    async def _advance(self, job: Json) -> float | None:
        mine = owned(self._pods, job)
        active = [pod for pod in mine if pods.is_active(pod)]
        if job_status.outcome(job, mine) or job["spec"].get("suspend"):
            await together(*(self._cluster.delete(PODS, pod) for pod in active))
            return None
        missing = _missing(job, mine, len(active))
        wait = _retry_wait(mine)
        if missing > 0 and wait <= 0:
            await together(*(self._create(job) for _ in range(missing)))
        deadline = job_status.seconds_to_deadline(job)
        waits = [wait] if missing > 0 and wait > 0 else []
        return min([*waits, *([deadline] if deadline is not None else [])], default=None)

    async def _create(self, job: Json) -> None:
        name, uid = job["metadata"]["name"], job["metadata"]["uid"]
        labels = {
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": name,
            "controller-uid": uid,
            "job-name": name,
        }
        metadata = {"generateName": f"{name}-", "labels": labels}
        pod = pods.from_template(job["spec"]["template"], job, metadata)
        await create_pod(self._cluster, job, pod)


def _missing(job: Json, mine: list[Json], active: int) -> int:
    spec = job["spec"]
    parallelism = int(spec.get("parallelism", 1))
    completions = job_status.completions(job)
    succeeded = job_status.count(mine, "Succeeded")
    if completions is None:
        # A work queue: the first success means that no more workers are wanted.
        return 0 if succeeded else parallelism - active
    return min(parallelism, completions - succeeded) - active


def _retry_wait(mine: list[Json]) -> float:
    """Seconds until the next try is due; doubles with every failure."""
    failed = [pod for pod in mine if pods.phase(pod) == "Failed"]
    if not failed:
        return 0.0
    delay = min(_FIRST_RETRY * 2.0 ** (len(failed) - 1), _LAST_RETRY)
    return min(delay - pods.seconds_since(_end(pod)) for pod in failed)


def _end(pod: Json) -> str:
    ends: list[str] = [
        container["state"]["terminated"]["finishedAt"]
        for container in (pod.get("status") or {}).get("containerStatuses") or []
        if (container.get("state") or {}).get("terminated", {}).get("finishedAt")
    ]
    return max(ends, default=str(pod["metadata"]["creationTimestamp"]))

"""All Pods of the node: one worker for each, told what the informer sees."""

from __future__ import annotations

import asyncio

from embedded.client import Json, key_of
from embedded.client.store import Key
from embedded.node.context import NodeContext
from embedded.node.pods.container import ContainerRunner, NotStartedError
from embedded.node.pods.pod import PodWorker
from embedded.runtime.model import Sandbox


class PodManager:
    """Starts, tells and forgets the workers."""

    def __init__(self, node: NodeContext, group: asyncio.TaskGroup) -> None:
        self._node = node
        self._group = group
        self._workers: dict[str, PodWorker] = {}
        self._newest: dict[Key, PodWorker] = {}

    def on_change(self, kind: str, pod: Json) -> None:
        """Take in what the Pods' informer tells."""
        worker = self._workers.get(pod["metadata"]["uid"])
        if kind == "DELETED":
            if worker is not None:
                worker.removed()
        elif worker is None:
            self._begin(pod)
        else:
            worker.update(pod)

    def say_again(self) -> None:
        """Write the status of every Pod anew: others may have written it."""
        for worker in self._workers.values():
            worker.say_again()

    def runner(self, namespace: str, pod: str, container: str) -> ContainerRunner:
        """Return a container. Raises LookupError or NotStartedError, which say what is missing."""
        worker = self._worker(namespace, pod)
        runner = worker.runners.get(container)
        if runner is not None:
            return runner
        if container not in worker.container_names:
            raise LookupError(f'container "{container}" in pod "{pod}" is not available')
        raise NotStartedError(container, pod, worker.reason)

    def sandbox(self, namespace: str, pod: str) -> Sandbox:
        """Return a Pod's sandbox. Raises LookupError, which says what is not there."""
        sandbox = self._worker(namespace, pod).place.sandbox
        if sandbox is None:
            raise LookupError(f'pod "{namespace}/{pod}" is not running')
        return sandbox

    def _worker(self, namespace: str, pod: str) -> PodWorker:
        worker = self._newest.get((namespace, pod))
        if worker is None:
            raise LookupError(f'pod "{namespace}/{pod}" is not on this node')
        return worker

    def _begin(self, pod: Json) -> None:
        key = key_of(pod)
        worker = PodWorker(self._node, pod, self._newest.get(key))
        self._workers[worker.uid] = self._newest[key] = worker
        if pod["metadata"].get("deletionTimestamp"):
            worker.update(pod)
        self._group.create_task(self._run(key, worker), name=f"pod {'/'.join(key)}")

    async def _run(self, key: Key, worker: PodWorker) -> None:
        await worker.run()
        # The object may stay for a finalizer's sake: without it, it would be begun anew.
        await worker.forgotten.wait()
        del self._workers[worker.uid]
        if self._newest.get(key) is worker:
            del self._newest[key]

"""One Pod's life, from being bound to this node to being gone."""

from __future__ import annotations

import asyncio
import logging
import signal

from embedded.client import PODS, ApiError, Backoff, Conflict, Json, NotFound, Unreachable, key_of
from embedded.node.context import NodeContext
from embedded.node.pods.container import ContainerRunner, PodView
from embedded.node.pods.events import EventContent, describe
from embedded.node.pods.launch import PodSetup
from embedded.node.pods.place import PodPlace
from embedded.node.pods.publisher import StatusPublisher
from embedded.node.pods.state import ContainerState, Waiting
from embedded.node.pods.status import PodState, is_sidecar, restart_policy, status_of
from embedded.node.waiting import wait_for_first
from embedded.timestamps import now

_log = logging.getLogger(__name__)
_AFTER_KILL = 10.0  # seconds in which a killed process is gone


class PodWorker:
    """Makes one Pod real. `run` ends when the Pod is gone from the node and from the API."""

    def __init__(self, node: NodeContext, pod: Json, predecessor: PodWorker | None) -> None:
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self.done = asyncio.Event()
        """Nothing of the Pod runs on this node any more."""
        self.forgotten = asyncio.Event()
        """The Pod's object is gone from the API."""
        self.runners: dict[str, ContainerRunner] = {}
        """By name of the container; init containers too."""
        self._node = node
        self._predecessor = predecessor
        self._started_at = now()
        self._ending = asyncio.Event()
        self._sooner = asyncio.Event()
        self._grace: float | None = None
        self.place = PodPlace(node, self.pod, self._ending, self._publish)
        self._publisher: StatusPublisher | None = None

    @property
    def container_names(self) -> list[str]:
        """Names of all its containers, init containers first."""
        spec = self.pod["spec"]
        return [c["name"] for c in [*(spec.get("initContainers") or []), *spec["containers"]]]

    @property
    def reason(self) -> str:
        """The state of a container that the Pod has not come to yet."""
        inits = self.pod["spec"].get("initContainers")
        return "PodInitializing" if inits else "ContainerCreating"

    def update(self, pod: Json) -> None:
        """Take in the Pod's newest object."""
        before = self.pod["metadata"]
        self.pod = self.place.pod = pod
        metadata = pod["metadata"]
        if metadata.get("deletionTimestamp"):
            self._end_within(float(metadata.get("deletionGracePeriodSeconds") or 0))
        elif any(metadata.get(f) != before.get(f) for f in ("labels", "annotations")):
            self.place.refresh_fields()

    def say_again(self) -> None:
        """Write the status anew, whatever was written before."""
        if self._publisher is not None:
            self._publisher.forget()
            self._publisher.publish()

    def removed(self) -> None:
        """The Pod is gone from the API: nothing is waited for."""
        self.forgotten.set()
        self._end_within(0.0)

    async def run(self) -> None:
        """Live, then end."""
        try:
            if self._predecessor is not None:
                await self._predecessor.done.wait()
                self._predecessor = None
            async with asyncio.TaskGroup() as group:
                self._publisher = StatusPublisher(
                    self._node.objects.pods, self.pod, self._status, group
                )
                life = group.create_task(self._live())
                await self._ending.wait()
                await self._stop(life)
        except Exception as error:
            _log.exception("pod %s/%s", *key_of(self.pod))
            message = f"the node could not go on with this Pod: {describe(error)}"
            note = EventContent(type="Warning", reason="FailedSync", message=message)
            self._node.events.record(self.pod, note)
            await self._ending.wait()
        finally:
            self.done.set()
        await self._finalize()

    async def _live(self) -> None:
        if (self.pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return
        self._node.events.record(self.pod, self._scheduled())
        try:
            setup = await self.place.make()
            if setup is not None:
                await self._run_containers(setup)
        finally:
            for runner in self.runners.values():
                await runner.release()
            await self.place.take_down()

    def _scheduled(self) -> EventContent:
        where = f"{'/'.join(key_of(self.pod))} to {self._node.config.name}"
        return EventContent(
            type="Normal",
            reason="Scheduled",
            message=f"Successfully assigned {where}",
            component="default-scheduler",
        )

    async def _run_containers(self, setup: PodSetup) -> None:
        view = PodView(
            node=self._node,
            setup=setup,
            current=lambda: self.pod,
            changed=self._publish,
            objects_changed=self.place.changed,
        )
        spec = self.pod["spec"]
        inits = [self._runner(view, c, "initContainers") for c in spec.get("initContainers") or []]
        mains = [self._runner(view, c, "containers") for c in spec["containers"]]
        async with asyncio.TaskGroup() as group:
            if await self._initialize(inits, group) and not self._ending.is_set():
                await asyncio.gather(*(runner.run() for runner in mains))
            for runner in inits:
                runner.stop(signal.SIGTERM)

    def _runner(self, view: PodView, container: Json, group: str) -> ContainerRunner:
        policy = restart_policy(self.pod)
        always = is_sidecar(container) if group == "initContainers" else policy == "Always"

        def restart(code: int) -> bool:
            return always or (policy != "Never" and code != 0)

        runner = ContainerRunner(view, container, group, restart)
        runner.state = self._untouched(container)
        self.runners[container["name"]] = runner
        return runner

    async def _initialize(self, inits: list[ContainerRunner], group: asyncio.TaskGroup) -> bool:
        """Run the init containers in order; False when one failed for good."""
        for runner in inits:
            if self._ending.is_set():
                return False
            if is_sidecar(runner.container):
                group.create_task(runner.run())
                await wait_for_first(runner.up, self._ending)
            elif await runner.run() != 0:
                return False
        return True

    async def _stop(self, life: asyncio.Task[None]) -> None:
        """End all containers: SIGTERM, the grace period, SIGKILL."""
        self._signal_all(signal.SIGTERM)
        started = _clock()
        while not life.done() and (left := started + (self._grace or 0.0) - _clock()) > 0:
            self._sooner.clear()
            sooner = asyncio.ensure_future(self._sooner.wait())
            await asyncio.wait([life, sooner], timeout=left, return_when=asyncio.FIRST_COMPLETED)
            sooner.cancel()
        if not life.done():
            self._signal_all(signal.SIGKILL)
            await asyncio.wait([life], timeout=_AFTER_KILL)
        if not life.done():
            _log.error("pod %s/%s: still running after SIGKILL", *key_of(self.pod))
            life.cancel()

    def _signal_all(self, number: signal.Signals) -> None:
        for runner in self.runners.values():
            if runner.running is not None and number == signal.SIGTERM:
                name = runner.state.name
                note = EventContent(
                    type="Normal",
                    reason="Killing",
                    message=f"Stopping container {name}",
                    field=runner.field,
                )
                self._node.events.record(self.pod, note)
            runner.stop(number)

    def _end_within(self, grace: float) -> None:
        if self._grace is None or grace < self._grace:
            self._grace = grace
            self._ending.set()
            self._sooner.set()

    async def _finalize(self) -> None:
        """Tell the API that nothing is left, so that the object can go."""
        namespace, name = key_of(self.pod)
        delays = Backoff(first=0.05, most=5.0)
        while not self.forgotten.is_set():
            try:
                await self._node.objects.client.delete(PODS, name, namespace, grace=0, uid=self.uid)
            except (NotFound, Conflict):
                return
            except (ApiError, Unreachable) as error:
                _log.warning("pod %s/%s: %s", namespace, name, error)
                await asyncio.sleep(delays.next())
            else:
                return

    # The status.

    def _publish(self) -> None:
        if self._publisher is not None and not self.forgotten.is_set():
            self._publisher.publish()

    def _status(self) -> Json:
        spec = self.pod["spec"]
        state = PodState(
            inits=[self._state(c) for c in spec.get("initContainers") or []],
            containers=[self._state(c) for c in spec["containers"]],
            started_at=self._started_at,
            host_ip=self._node.config.address,
            pod_ip=self.place.address,
        )
        return status_of(self.pod, state, now())

    def _state(self, container: Json) -> ContainerState:
        runner = self.runners.get(container["name"])
        return runner.state if runner else self._untouched(container)

    def _untouched(self, container: Json) -> ContainerState:
        waiting = Waiting(reason=self.reason)
        return ContainerState(name=container["name"], image=container["image"], now=waiting)


def _clock() -> float:
    return asyncio.get_running_loop().time()

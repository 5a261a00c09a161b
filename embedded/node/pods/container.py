"""One container's life: started, watched, started again, stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from embedded.client import Json
from embedded.node.context import NodeContext
from embedded.node.logs.reader import last_lines
from embedded.node.logs.writer import ContainerLog
from embedded.node.pods.events import EventContent, describe
from embedded.node.pods.launch import (
    Launch,
    LaunchError,
    PodSetup,
    prepare,
    termination_file,
)
from embedded.node.pods.state import ContainerState, Running, Terminated, Waiting
from embedded.node.probes.ask import Target
from embedded.node.probes.loops import Outcomes, ProbeLoops, Probes
from embedded.node.probes.spec import Probe
from embedded.node.waiting import wait_for_first
from embedded.runtime.model import BoxError, ExitStatus, Root, Streams
from embedded.runtime.runtime import Process
from embedded.timestamps import now

_log = logging.getLogger(__name__)
_LAST_WORDS = 4096  # bytes of a termination message
_DRAIN = 1.0  # seconds in which a container's output ends after its process


class NotStartedError(Exception):
    """A container that has never run; the message is a kubelet's."""

    def __init__(self, container: str, pod: str, reason: str) -> None:
        super().__init__(f'container "{container}" in pod "{pod}" is waiting to start: {reason}')


@dataclass(frozen=True, kw_only=True)
class RunningContainer:
    """The processes of a running container, which exec, probes and port-forward enter."""

    process: Process
    launch: Launch


@dataclass(frozen=True, kw_only=True)
class PodView:
    """The view of its Pod that a container has."""

    node: NodeContext
    setup: PodSetup
    current: Callable[[], Json]
    """The Pod's object as last seen."""
    changed: Callable[[], None]
    """To be called when the container's state is another."""
    objects_changed: Callable[[], asyncio.Event]
    """The event of the next change of a Secret or ConfigMap that the Pod uses."""


class ContainerRunner:
    """Runs `container` until it has ended for good.

    `restart` says, by the exit code, whether it is started again.
    """

    def __init__(
        self, view: PodView, container: Json, group: str, restart: Callable[[int], bool]
    ) -> None:
        self.container = container
        self.state = ContainerState(name=container["name"], image=container["image"])
        self.running: RunningContainer | None = None
        self.logs: list[ContainerLog] = []
        """Logs of the run before and of the one now, oldest first."""
        self._view = view
        self._node = view.node
        self.field = f"spec.{group}{{{container['name']}}}"
        self._restart = restart
        self._stopping = asyncio.Event()
        self.up = asyncio.Event()
        """Set while the container has started, its startup probe included."""
        self._root: Root | None = None
        self._crashes = 0

    async def run(self) -> int:
        """Run to the end and return the last exit code (137 when it never came to run)."""
        while not self._stopping.is_set():
            status = await self._run_once()
            if status is None:
                break
            if self._stopping.is_set() or not self._restart(status.code):
                return status.code
            await self._back_off()
        return 137

    def stop(self, number: signal.Signals) -> None:
        """Let it not start again, and signal what runs."""
        self._stopping.set()
        if self.running is not None:
            self.running.process.signal(number)

    async def release(self) -> None:
        """Give back what is left once it has ended."""
        self._close_logs()
        await self._drop_root()

    def _close_logs(self) -> None:
        for log in self.logs:
            log.close()

    async def _run_once(self) -> ExitStatus | None:
        launch = await self._prepared()
        if launch is None:
            return None
        try:
            log = self._new_log()
            process = await self._start(launch, log)
        except (BoxError, OSError) as error:
            # An OSError is the node's own trouble, and may pass as the box's may.
            self._close_logs()
            return self._not_started(launch, str(error))
        self._running(launch, process)
        probes = asyncio.create_task(self._probe(RunningContainer(process=process, launch=launch)))
        if self._stopping.is_set():
            process.signal(signal.SIGKILL)
        try:
            status = await process.wait()
        finally:
            probes.cancel()
            await asyncio.wait([probes])
        await self._ended(status, log)
        return status

    async def _prepared(self) -> Launch | None:
        """Return how to start it, once everything it needs is there; None when stopped before."""
        pulls = 0
        while not self._stopping.is_set():
            change = self._view.objects_changed()
            try:
                return await prepare(
                    self._node, self._view.current(), self.container, self._view.setup
                )
            except LaunchError as error:
                self._cannot_start(error, pulls)
                pulls += 1
                pause = self._node.limits.back_off.delay(pulls)
                await wait_for_first(self._stopping, change, timeout=pause)
        return None

    def _cannot_start(self, error: LaunchError, tries: int) -> None:
        reason = error.reason
        if reason != "ErrImagePull":
            self._warn("Failed", f"Error: {error}")
        elif tries == 0:
            self._warn("Failed", str(error))
        else:
            reason = "ImagePullBackOff"
            self._say("BackOff", f'Back-off pulling image "{self.state.image}"')
        self._become(self.state.but(now=Waiting(reason=reason, message=str(error))))

    async def _start(self, launch: Launch, log: ContainerLog) -> Process:
        await self._drop_root()
        self._root = await self._node.runtime.mount_root(launch.image)
        with ExitStack() as writers:
            streams = Streams(
                stdout=_attached(log, "stdout", writers), stderr=_attached(log, "stderr", writers)
            )
            spec = launch.spec(self._view.setup.sandbox, self._root, streams)
            return await (launch.processes or self._node.runtime).start(spec)

    def _running(self, launch: Launch, process: Process) -> None:
        self.running = RunningContainer(process=process, launch=launch)
        name, image = self.state.name, self.state.image
        self._say("Pulled", f'Container image "{image}" already present on machine')
        self._say("Created", f"Created container: {name}")
        self._say("Started", f"Started container {name}")
        plain = not self.container.get("startupProbe")
        self._become(
            self.state.but(
                now=Running(started_at=now()),
                image_id=f"{launch.image.recipe}@{launch.image.digest}",
                container_id=f"box://{self._view.current()['metadata']['uid']}"
                f"/{name}/{self.state.restarts}",
                started=plain,
                ready=plain and not self.container.get("readinessProbe"),
            )
        )
        if plain:
            self.up.set()

    def _not_started(self, launch: Launch, problem: str) -> ExitStatus:
        self._warn("Failed", f"Error: {problem}")
        self.state = self.state.but(
            image_id=f"{launch.image.recipe}@{launch.image.digest}",
            now=Terminated(
                exit_code=128,
                reason="StartError",
                message=problem,
                started_at=now(),
                finished_at=now(),
                container_id=self.state.container_id,
            ),
        )
        self._view.changed()
        return ExitStatus(code=128)

    async def _ended(self, status: ExitStatus, log: ContainerLog) -> None:
        self.running = None
        self.up.clear()
        try:
            async with asyncio.timeout(_DRAIN):
                await log.drained()
        except TimeoutError:
            log.close()
        started = self.state.now.started_at if isinstance(self.state.now, Running) else now()
        ended = Terminated(
            exit_code=status.code,
            signal=status.signal,
            reason="Completed" if status.code == 0 else "Error",
            message=self._last_words(status, log),
            started_at=started,
            finished_at=now(),
            container_id=self.state.container_id,
        )
        self._become(self.state.but(now=ended, started=False, ready=False))

    def _last_words(self, status: ExitStatus, log: ContainerLog) -> str:
        path = termination_file(self.container, self._view.setup)
        fallback = self.container.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        try:
            given = path.read_bytes()[-_LAST_WORDS:] if path.exists() else b""
            if not given and fallback and status.code != 0:
                return last_lines(log, 80, 2048)
        except OSError as error:
            return f"its last words cannot be read: {error}"
        return given.decode(errors="replace")

    async def _back_off(self) -> None:
        last = self.state.now
        assert isinstance(last, Terminated)
        back_off = self._node.limits.back_off
        if _seconds(last.started_at, last.finished_at) >= back_off.reset_after:
            self._crashes = 0
        delay = back_off.delay(self._crashes)
        self._crashes += 1
        if delay:
            self._wait_visibly(last, delay)
            await wait_for_first(self._stopping, timeout=delay)
        self.state = self.state.but(last=last, restarts=self.state.restarts + 1)

    def _wait_visibly(self, last: Terminated, delay: float) -> None:
        metadata = self._view.current()["metadata"]
        pod = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        message = f"back-off {delay:g}s restarting failed container={self.state.name} pod={pod}"
        self._warn(
            "BackOff", f"Back-off restarting failed container {self.state.name} in pod {pod}"
        )
        waiting = Waiting(reason="CrashLoopBackOff", message=message)
        self._become(self.state.but(now=waiting, last=last))

    async def _probe(self, running: RunningContainer) -> None:
        """Probe until cancelled. What breaks it is told: the container stays as it was last."""
        try:
            await self._run_probes(running)
        except Exception as error:
            _log.exception("probes of %s", self.field)
            self._warn("Unhealthy", f"the node cannot go on probing: {describe(error)}")

    async def _run_probes(self, running: RunningContainer) -> None:
        wanted = Probes(
            startup=Probe.of(self.container, "startupProbe"),
            readiness=Probe.of(self.container, "readinessProbe"),
            liveness=Probe.of(self.container, "livenessProbe"),
        )
        if wanted == Probes(startup=None, readiness=None, liveness=None):
            return
        launch = running.launch
        target = Target(
            runtime=self._node.runtime,
            process=running.process,
            container=self.container,
            environment=launch.environment,
            cwd=launch.cwd,
            address=self._view.setup.facts.pod_ip,
        )
        outcomes = Outcomes(
            started=self._started,
            ready=lambda ready: self._become(self.state.but(ready=ready)),
            unhealthy=lambda kind, text: self._warn("Unhealthy", f"{kind} probe failed: {text}"),
            kill=lambda kind: self._kill(running.process, kind),
        )
        await ProbeLoops(wanted, target, outcomes, self._node.pace).run()

    def _started(self) -> None:
        self._become(self.state.but(started=True))
        self.up.set()

    def _kill(self, process: Process, kind: str) -> None:
        """Stop a container that a probe gave up on; its run then goes on as after any end."""
        name = self.state.name
        self._say("Killing", f"Container {name} failed {kind.lower()} probe, will be restarted")
        process.signal(signal.SIGTERM)
        grace = self._view.current()["spec"].get("terminationGracePeriodSeconds")
        asyncio.get_running_loop().call_later(
            30 if grace is None else int(grace), process.signal, signal.SIGKILL
        )

    def _new_log(self) -> ContainerLog:
        metadata = self._view.current()["metadata"]
        name = f"{metadata['namespace']}_{metadata['name']}_{self.state.name}"
        path = self._node.config.log_dir / f"{name}_{self.state.restarts}.log"
        log = ContainerLog(path, self._node.limits.log_bytes)
        self.logs = [*self.logs[-1:], log]
        return log

    async def _drop_root(self) -> None:
        if self._root is not None:
            root, self._root = self._root, None
            await self._node.runtime.unmount_root(root)

    def _become(self, state: ContainerState) -> None:
        if state != self.state:
            self.state = state
            self._view.changed()

    def _say(self, reason: str, message: str) -> None:
        self._record(EventContent(type="Normal", reason=reason, message=message, field=self.field))

    def _warn(self, reason: str, message: str) -> None:
        self._record(EventContent(type="Warning", reason=reason, message=message, field=self.field))

    def _record(self, note: EventContent) -> None:
        self._node.events.record(self._view.current(), note)


def _attached(log: ContainerLog, stream: str, writers: ExitStack) -> int:
    """Let a log take what comes out of a new pipe; the writing end lives as long as `writers`."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    writers.callback(os.close, writer)
    log.attach(stream, reader)
    return writer


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()

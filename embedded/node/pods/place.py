"""The resources of a Pod on the node: sandbox, address, files and volumes."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from embedded.client import Backoff, Json, key_of
from embedded.node.context import NodeContext
from embedded.node.pods.environment import references_in_environment
from embedded.node.pods.events import EventContent
from embedded.node.pods.fields import PodFacts
from embedded.node.pods.files import hostname_of, write_network_files
from embedded.node.pods.launch import PodSetup, images_of, volume_owners
from embedded.node.pods.shared import SharedProcesses, shares_processes
from embedded.node.volumes.content import ContentContext
from embedded.node.volumes.manager import MountError, PodVolumes, Reference
from embedded.node.waiting import wait_for_first
from embedded.runtime.model import BoxError, Sandbox

_log = logging.getLogger(__name__)
_PATIENCE = 2.0  # seconds in which a claim is bound, before anything is said


class PodPlace:
    """Makes the place of one Pod, keeps its volumes current, and takes it away.

    `ending` cuts every wait short; `blocked` is called when something is waited for.
    """

    def __init__(
        self, node: NodeContext, pod: Json, ending: asyncio.Event, blocked: Callable[[], None]
    ) -> None:
        self.pod = pod
        self.sandbox: Sandbox | None = None
        self.address = ""
        self._node = node
        self._ending = ending
        self._blocked = blocked
        self._changed = asyncio.Event()
        self._lock = asyncio.Lock()
        self._volumes: PodVolumes | None = None
        self._processes: SharedProcesses | None = None
        self._stop_listening: Callable[[], None] = lambda: None
        self._refreshes: set[asyncio.Task[None]] = set()

    @property
    def directory(self) -> Path:
        """The directory of the Pod's files."""
        return self._node.config.state_dir / "pods" / str(self.pod["metadata"]["uid"])

    def changed(self) -> asyncio.Event:
        """Return the event of the next change of an object that the Pod uses."""
        return self._changed

    async def make(self) -> PodSetup | None:
        """Make sandbox and volumes, however long that takes; None when the Pod ends before."""
        sandbox = await self._make_sandbox()
        if sandbox is None:
            return None
        node, config = self._node, self._node.config
        facts = PodFacts(pod_ip=self.address, host_ip=config.address)
        sources = node.behaviour.sources(self.pod, node)
        context = ContentContext(
            pod=self.pod, facts=facts, sources=sources, ownership=volume_owners(node, self.pod)
        )
        volumes = PodVolumes(self.directory / "volumes", context, node.claims)
        self._volumes = volumes
        self._stop_listening = node.changes.listen(self._names(volumes), self._on_change)
        if not await self._mount(volumes):
            return None
        if shares_processes(self.pod):
            images = images_of(node, self.pod)
            self._processes = SharedProcesses(node.runtime, sandbox, images, self._say_changed)
        return PodSetup(
            sandbox=sandbox,
            volumes=volumes,
            facts=facts,
            directory=self.directory,
            processes=self._processes,
        )

    async def take_down(self) -> None:
        """Remove all of it; claims keep their directories."""
        self._stop_listening()
        for task in self._refreshes:
            task.cancel()
        await self._end_processes()
        if self.sandbox is not None:
            sandbox, self.sandbox = self.sandbox, None
            await self._node.runtime.remove_sandbox(sandbox)
        shutil.rmtree(self.directory, ignore_errors=True)
        if self.address:
            self._node.addresses.free(self.address)
        self._node.tokens.forget(self.pod["metadata"]["uid"])

    def refresh_fields(self) -> None:
        """Bring what volumes show of the Pod itself up to date."""
        self._spawn_refresh(None)

    async def _make_sandbox(self) -> Sandbox | None:
        delays = Backoff(first=0.1, most=5.0)
        namespace, name = key_of(self.pod)
        while not self._ending.is_set():
            try:
                self.address = self.address or self._node.addresses.take()
                self.sandbox = self.sandbox or await self._node.runtime.create_sandbox(
                    f"{namespace}/{name}", self.address, hostname_of(self.pod)
                )
                config = self._node.config
                write_network_files(
                    self.directory, self.pod, self.address, config.address, config.cluster_domain
                )
            except (BoxError, LookupError, OSError) as error:
                self._warn("FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}")
                self._blocked()
                await wait_for_first(self._ending, timeout=delays.next())
            else:
                return self.sandbox
        return None

    async def _mount(self, volumes: PodVolumes) -> bool:
        # Repeated warnings follow a kubelet's rhythm; a change is acted on at once.
        delays = Backoff(first=0.5, most=122.0)
        patient_until = asyncio.get_running_loop().time() + _PATIENCE
        while not self._ending.is_set():
            change = self._changed
            try:
                async with self._lock:
                    await volumes.set_up()
            except MountError as error:
                left = patient_until - asyncio.get_running_loop().time()
                if error.pending and left > 0:
                    await wait_for_first(self._ending, change, timeout=left)
                    continue
                self._warn("FailedMount", str(error))
                self._blocked()
                await wait_for_first(self._ending, change, timeout=delays.next())
            else:
                return True
        return False

    async def _end_processes(self) -> None:
        if self._processes is None:
            return
        try:
            await self._processes.end()
        except BoxError as error:
            # The box has ended, or a mount stays until it does; the Pod is gone all the same.
            _log.warning("pause of %s/%s: %s", *key_of(self.pod), error)

    def _say_changed(self) -> None:
        message = "Pod sandbox changed, it will be killed and re-created."
        note = EventContent(type="Normal", reason="SandboxChanged", message=message)
        self._node.events.record(self.pod, note)

    def _names(self, volumes: PodVolumes) -> Iterator[tuple[str, str, str]]:
        namespace = self.pod["metadata"]["namespace"]
        for kind, name in {*volumes.references, *references_in_environment(self.pod)}:
            yield kind, namespace, name
        for name in volumes.claim_names:
            yield "PersistentVolumeClaim", namespace, name

    def _on_change(self, kind: str, name: str) -> None:
        old, self._changed = self._changed, asyncio.Event()
        old.set()
        if kind == "Secret" and not self._node.behaviour.refreshes_secrets(self.pod):
            return
        self._spawn_refresh((kind, name))

    def _spawn_refresh(self, reference: Reference | None) -> None:
        if self._volumes is not None:
            task = asyncio.create_task(self._refresh(self._volumes, reference))
            self._refreshes.add(task)
            task.add_done_callback(self._refreshes.discard)

    async def _refresh(self, volumes: PodVolumes, reference: Reference | None) -> None:
        delays = Backoff(first=0.5, most=122.0)
        while not self._ending.is_set():
            try:
                # One at a time: content read earlier must not be written later.
                async with self._lock:
                    await volumes.refresh(reference, self.pod)
            except OSError as error:
                # Old content that stayed for good would look as if the server had not heeded new.
                self._warn("FailedMount", f"volumes could not be brought up to date: {error}")
                await wait_for_first(self._ending, timeout=delays.next())
            except Exception:  # a bug of ours: it costs this refresh, and no other Pod
                _log.exception("refresh of the volumes of %s/%s", *key_of(self.pod))
                return
            else:
                return

    def _warn(self, reason: str, message: str) -> None:
        note = EventContent(type="Warning", reason=reason, message=message)
        self._node.events.record(self.pod, note)

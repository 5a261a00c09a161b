"""The processes of a Pod with `shareProcessNamespace`: its pause, and what runs beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from embedded.client import Json
from embedded.images.model import Image
from embedded.runtime.model import BoxError, ProcessSpec, Sandbox
from embedded.runtime.runtime import Pause, Process, Runtime

_DYING = 1.0  # seconds in which a pause that is about to end does so


def shares_processes(pod: Json) -> bool:
    """Say whether the containers of a Pod share their processes."""
    return bool(pod["spec"].get("shareProcessNamespace"))


class SharedProcesses:
    """Starts the containers of one Pod among the processes of each other.

    The pause is made for the first of them, and anew where it has ended, which ended them all;
    `remade` is called then. `images` are those to try for its programs, in this order.
    """

    def __init__(
        self,
        runtime: Runtime,
        sandbox: Sandbox,
        images: Sequence[Image],
        remade: Callable[[], None],
    ) -> None:
        self._runtime = runtime
        self._sandbox = sandbox
        self._images = images
        self._remade = remade
        self._pause: Pause | None = None
        self._lock = asyncio.Lock()

    async def start(self, spec: ProcessSpec) -> Process:
        """Start a container, as the runtime does. Raises BoxError."""
        pause = await self._alive(spec)
        try:
            return await self._beside(pause, spec)
        except BoxError:
            # Nothing can be started where the pause is ending, which is seen when all has ended.
            if not await pause.ends_within(_DYING):
                raise
        return await self._beside(await self._alive(spec), spec)

    async def end(self) -> None:
        """End the pause, and with it whatever of the Pod still runs. Raises BoxError."""
        if self._pause is not None:
            pause, self._pause = self._pause, None
            await self._runtime.end_pause(pause)

    async def _beside(self, pause: Pause, spec: ProcessSpec) -> Process:
        return await self._runtime.start(replace(spec, processes=pause.namespace))

    async def _alive(self, spec: ProcessSpec) -> Pause:
        async with self._lock:
            if self._pause is not None and self._pause.ended:
                self._remade()
                await self.end()
            if self._pause is None:
                self._pause = await self._runtime.start_pause(
                    self._sandbox, self._images, spec.uid, spec.gid
                )
            return self._pause

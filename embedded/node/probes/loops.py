"""The loops that probe a container, and the effects of the results.

While a container is not ready it is asked again after a few milliseconds, so that whoever waits
for it learns at once; afterwards every periodSeconds. The time that a startup probe grants is
counted in seconds (failureThreshold times periodSeconds), however often it was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from embedded.node.probes.ask import Target, ask
from embedded.node.probes.pace import Pace
from embedded.node.probes.spec import Answer, Probe

_FIRST_PAUSE, _MOST_PAUSE, _GROWTH = 0.01, 0.1, 1.5


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """The receiver of the results: a container."""

    started: Callable[[], None]
    ready: Callable[[bool], None]
    unhealthy: Callable[[str, str], None]
    """Kind of the probe (Startup, Readiness, Liveness) and what it said."""
    kill: Callable[[str], None]
    """Kind of the probe that gives up on the container."""


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The probes of one container."""

    startup: Probe | None
    readiness: Probe | None
    liveness: Probe | None


class ProbeLoops:
    """Asks one running container until cancelled."""

    def __init__(self, probes: Probes, target: Target, outcomes: Outcomes, pace: Pace) -> None:
        self._probes, self._target, self._outcomes, self._pace = probes, target, outcomes, pace

    async def run(self) -> None:
        """Ask for startup first, then for readiness and liveness side by side."""
        if self._probes.startup and not await self._start_up(self._probes.startup):
            self._outcomes.kill("Startup")
            return
        self._outcomes.started()
        async with asyncio.TaskGroup() as group:
            if self._probes.readiness:
                group.create_task(self._watch_readiness(self._probes.readiness))
            else:
                self._outcomes.ready(True)
            if self._probes.liveness:
                group.create_task(self._watch_liveness(self._probes.liveness))

    async def _start_up(self, probe: Probe) -> bool:
        await asyncio.sleep(probe.initial_delay)
        quick = _Quick(probe)
        deadline = _now() + probe.failures * probe.period
        while True:
            answer = await self._ask_quickly(probe)
            if answer.ok:
                return True
            if _now() >= deadline:
                self._outcomes.unhealthy("Startup", answer.text)
                return False
            if quick.worth_telling():
                self._outcomes.unhealthy("Startup", answer.text)
            await quick.pause()

    async def _watch_readiness(self, probe: Probe) -> None:
        await asyncio.sleep(probe.initial_delay)
        while True:
            await self._until_ready(probe)
            self._outcomes.ready(True)
            await self._until_failing(probe, "Readiness")
            self._outcomes.ready(False)

    async def _until_ready(self, probe: Probe) -> None:
        quick = _Quick(probe)
        successes = 0
        while True:
            answer = await self._ask_quickly(probe)
            successes = successes + 1 if answer.ok else 0
            if successes >= probe.successes:
                return
            if not answer.ok and quick.worth_telling():
                self._outcomes.unhealthy("Readiness", answer.text)
            await quick.pause()

    async def _watch_liveness(self, probe: Probe) -> None:
        await asyncio.sleep(probe.initial_delay)
        await self._until_failing(probe, "Liveness")
        self._outcomes.kill("Liveness")

    async def _until_failing(self, probe: Probe, kind: str) -> None:
        failures = 0
        while failures < probe.failures:
            await asyncio.sleep(probe.period)
            answer = await ask(probe, self._target)
            failures = 0 if answer.ok else failures + 1
            if not answer.ok:
                self._outcomes.unhealthy(kind, answer.text)

    async def _ask_quickly(self, probe: Probe) -> Answer:
        if not probe.costs_a_process:
            return await ask(probe, self._target)
        async with self._pace.turn():
            return await ask(probe, self._target)


class _Quick:
    """The pauses between quick questions, and how rarely their failures are told."""

    def __init__(self, probe: Probe) -> None:
        self._pause = _FIRST_PAUSE
        self._period = probe.period
        # A container that has just been started is not unhealthy: first told after one period.
        self._tell_at = _now() + probe.period

    async def pause(self) -> None:
        await asyncio.sleep(min(self._pause, self._period))
        self._pause = min(self._pause * _GROWTH, _MOST_PAUSE)

    def worth_telling(self) -> bool:
        if _now() < self._tell_at:
            return False
        self._tell_at = _now() + self._period
        return True


def _now() -> float:
    return asyncio.get_running_loop().time()

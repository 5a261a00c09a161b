"""All faults against the scenarios that they need, some at a time, and one run without any."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from faultmatrix.judging import Baseline, Outcome, judge, judge_baseline
from faultmatrix.listing import Listing
from faultmatrix.running import RunError, Verification, output_beside, verify
from reference.faults.fault import Fault

BASELINE = "without-a-fault"
"""The directory of the run without a fault, beside those named as the faults are."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the matrix: what was seen, in how many seconds, and where the report is."""

    seen: Outcome | Baseline
    seconds: float
    report: Path

    @property
    def name(self) -> str:
        """The name of the fault."""
        return self.seen.fault.name if isinstance(self.seen, Outcome) else BASELINE


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Everything that was seen; `bare` are decided requirements that no fault breaks."""

    baseline: Entry
    faults: tuple[Entry, ...]
    bare: tuple[str, ...]
    seconds: float

    @property
    def good(self) -> bool:
        """Return whether each fault was caught alone, and no requirement lacks one."""
        return not self.bare and all(each.seen.good for each in (self.baseline, *self.faults))


def without_fault(listing: Listing, faults: Sequence[Fault]) -> tuple[str, ...]:
    """The decided requirements that no fault must be caught by."""
    broken = {id_ for fault in faults for id_ in fault.requirements}
    return tuple(id_ for id_ in listing.decided if id_ not in broken)


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Makes runs, `jobs` at a time, with reports below a directory; `say` hears of each end."""

    listing: Listing
    reports: Path
    jobs: int
    say: Callable[[Entry], None]
    keep: bool
    """Keep the reports of runs that went well, too."""

    async def run(self, faults: Sequence[Fault], *, bare: tuple[str, ...] = ()) -> Matrix:
        """Run the verifier without a fault and under each of them."""
        began = time.monotonic()
        slots = asyncio.Semaphore(self.jobs)

        async def one(fault: Fault | None) -> Entry:
            async with slots:
                entry = await self._entry(fault, faults)
            self.say(entry)
            return entry

        # Alone, for it has all scenarios at once.
        baseline = await one(None)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(fault)) for fault in faults]
        entries = tuple(task.result() for task in tasks)
        seconds = time.monotonic() - began
        return Matrix(baseline=baseline, faults=entries, bare=bare, seconds=seconds)

    async def _entry(self, fault: Fault | None, faults: Sequence[Fault]) -> Entry:
        report = self.reports / (fault.name if fault else BASELINE)
        began = time.monotonic()
        seen: Outcome | Baseline | None = None
        try:
            if fault is None:
                ids = [id_ for each in faults for id_ in each.requirements]
                seen = await self._baseline(self.listing.scenarios(ids), report)
            else:
                seen = await self._outcome(fault, report)
        finally:
            # One that was cut off says nothing.
            if not self.keep and (seen is None or seen.good):
                shutil.rmtree(report, ignore_errors=True)
                output_beside(report).unlink(missing_ok=True)
        return Entry(seen=seen, seconds=time.monotonic() - began, report=report)

    async def _baseline(self, scenarios: frozenset[str], report: Path) -> Baseline:
        checks = self.listing.within(scenarios)
        try:
            run = await verify(Verification(checks=checks, report=report))
        except RunError as error:
            return Baseline(broken=str(error))
        return judge_baseline(run, self.listing.decidable(scenarios))

    async def _outcome(self, fault: Fault, report: Path) -> Outcome:
        checks = self.listing.within(self.listing.scenarios(fault.requirements))
        if not checks:
            return Outcome(fault=fault, broken="no check decides what it breaks")
        try:
            run = await verify(Verification(checks=checks, report=report, fault=fault))
        except RunError as error:
            return Outcome(fault=fault, broken=str(error))
        return judge(fault, run)

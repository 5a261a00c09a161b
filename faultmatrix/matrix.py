"""All faults against the scenarios that they need, all variants, and one run without any."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from faultmatrix.judging import (
    Baseline,
    Kept,
    Outcome,
    Seen,
    judge,
    judge_baseline,
    judge_variant,
)
from faultmatrix.listing import Listing
from faultmatrix.running import RunError, Verification, output_beside, verify
from reference.faults.fault import Fault
from reference.faults.variant import Behaviour, Variant

BASELINE = "without-a-fault"
"""The directory of the run without a fault, beside those named as the faults are."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the matrix: what was seen, in how many seconds, and where the report is."""

    seen: Seen
    seconds: float
    report: Path

    @property
    def name(self) -> str:
        """The name of the fault or the variant."""
        match self.seen:
            case Outcome(fault=fault):
                return fault.name
            case Kept(variant=variant):
                return variant.name
            case _:
                return BASELINE


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Everything that was seen; `bare` are decided requirements that no fault breaks."""

    baseline: Entry
    faults: tuple[Entry, ...]
    bare: tuple[str, ...]
    seconds: float
    variants: tuple[Entry, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All runs."""
        return (self.baseline, *self.faults, *self.variants)

    @property
    def good(self) -> bool:
        """Return whether each fault was caught alone, each variant passed, and none is missing."""
        return not self.bare and all(each.seen.good for each in self.entries)


def without_fault(listing: Listing, faults: Sequence[Fault]) -> tuple[str, ...]:
    """The decided requirements that no fault must be caught by."""
    broken = {id_ for fault in faults for id_ in fault.requirements}
    return tuple(id_ for id_ in listing.decided if id_ not in broken)


def companies(variants: Iterable[Variant]) -> list[list[Variant]]:
    """Put variants together that can be run together: no two of one aspect, in their order."""
    found: list[list[Variant]] = []
    for variant in variants:
        joined = variant.aspect and next(
            (
                company
                for company in found
                if all(other.aspect not in {"", variant.aspect} for other in company)
            ),
            None,
        )
        if joined:
            joined.append(variant)
        else:
            found.append([variant])
    return found


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Makes runs, `jobs` at a time, with reports below a directory; `say` hears of each end."""

    listing: Listing
    reports: Path
    jobs: int
    say: Callable[[Entry], None]
    keep: bool
    """Keep the reports of runs that went well, too."""

    async def run(
        self,
        chosen: Sequence[Behaviour],
        *,
        bare: tuple[str, ...] = (),
        beside: Sequence[Behaviour] = (),
    ) -> Matrix:
        """Run the verifier without a fault, under each of them, and with each variant.

        The run without a fault has the scenarios of those that are chosen and those `beside`.
        """
        began = time.monotonic()
        slots = asyncio.Semaphore(self.jobs)

        async def one(behaviour: Fault | None) -> Entry:
            async with slots:
                entry = await self._entry(behaviour, [*chosen, *beside])
            self.say(entry)
            return entry

        # Alone, for it has all scenarios at once.
        baseline = await one(None)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(each)) for each in chosen if isinstance(each, Fault)]
        faults = [task.result() for task in tasks]
        # Once more, and alone: an error that is the fault's comes again, one of the load does not.
        for number, entry in enumerate(faults):
            if isinstance(entry.seen, Outcome) and entry.seen.unclear:
                faults[number] = await one(entry.seen.fault)
        # So have these.
        variants: list[Entry] = []
        for company in companies(each for each in chosen if isinstance(each, Variant)):
            variants += await self._variants(company)
        return Matrix(
            baseline=baseline,
            faults=tuple(faults),
            variants=tuple(variants),
            bare=bare,
            seconds=time.monotonic() - began,
        )

    async def _variants(self, company: Sequence[Variant]) -> list[Entry]:
        """Run variants together; where not all of that is green, each alone, to know which."""
        first, *others = company
        name = f"{first.name}-and-{len(others)}-more" if others else first.name
        report = self.reports / name
        began = time.monotonic()
        entries: list[Entry] = []
        try:
            kept = await self._kept(company, report)
            seconds = (time.monotonic() - began) / len(company)
            entries = [Entry(seen=each, seconds=seconds, report=report) for each in kept]
        finally:
            # One that was cut off says nothing, and what went wrong in company is seen alone.
            if not self.keep and (others or all(each.seen.good for each in entries)):
                shutil.rmtree(report, ignore_errors=True)
                output_beside(report).unlink(missing_ok=True)
        if others and not all(each.seen.good for each in entries):
            return [entry for each in company for entry in await self._variants([each])]
        for entry in entries:
            self.say(entry)
        return entries

    async def _entry(self, behaviour: Fault | None, chosen: Sequence[Behaviour]) -> Entry:
        report = self.reports / (behaviour.name if behaviour else BASELINE)
        began = time.monotonic()
        seen: Seen | None = None
        try:
            if behaviour is None:
                seen = await self._baseline(self._scenarios(chosen), report)
            else:
                seen = await self._outcome(behaviour, report)
        finally:
            # One that was cut off says nothing.
            if not self.keep and (seen is None or seen.good):
                shutil.rmtree(report, ignore_errors=True)
                output_beside(report).unlink(missing_ok=True)
        return Entry(seen=seen, seconds=time.monotonic() - began, report=report)

    def _scenarios(self, chosen: Sequence[Behaviour]) -> frozenset[str]:
        """The scenarios of the faults' requirements; of variants all."""
        if any(isinstance(each, Variant) for each in chosen):
            return self.listing.scenarios(self.listing.decided)
        ids = [id_ for each in chosen if isinstance(each, Fault) for id_ in each.requirements]
        return self.listing.scenarios(ids)

    async def _kept(self, company: Sequence[Variant], report: Path) -> list[Kept]:
        scenarios = self._scenarios(company)
        checks = self.listing.within(scenarios)
        try:
            run = await verify(Verification(checks=checks, report=report, under=company))
        except RunError as error:
            return [Kept(variant=each, broken=str(error)) for each in company]
        decided = self.listing.decidable(scenarios)
        return [
            judge_variant(each, run, decided, [other for other in company if other is not each])
            for each in company
        ]

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
            run = await verify(Verification(checks=checks, report=report, under=[fault]))
        except RunError as error:
            return Outcome(fault=fault, broken=str(error))
        return judge(fault, run)

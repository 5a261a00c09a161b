"""The verifier as a program: asked for its checks, and run with or without a fault."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from faultmatrix.listing import Listing
from reference.faults.variant import Behaviour
from reports.renderers import run_json
from reports.run import Run
from reports.text import one_line

ROOT = Path(__file__).resolve().parents[1]
_LISTING_SECONDS = 60.0
_RUN_SECONDS = 300.0
_CLEANUP_SECONDS = 90.0


class RunError(Exception):
    """The verifier gave no verdicts; the message says why in a line."""


def output_beside(report: Path) -> Path:
    """Return the file for the verifier's output: not in its report, which takes no other files."""
    return report.with_name(f"{report.name}.txt")


@dataclass(frozen=True, kw_only=True)
class Verification:
    """One run to make: these checks, under a fault, variants or none, reporting to a directory."""

    checks: Sequence[str]
    report: Path
    under: Sequence[Behaviour] = ()

    @property
    def arguments(self) -> list[str]:
        """Return the arguments for pytest."""
        words = ["--platform=embedded", f"--report-dir={self.report}"]
        if self.under:
            names = ",".join(each.name for each in self.under)
            words.append(f"--embedded-arguments=--faults {names}")
        # By value, so that of several for one wait the longest holds.
        given = sorted((pair for each in self.under for pair in each.deadlines), key=itemgetter(1))
        words += [f"--deadline={name}={value:g}" for name, value in dict(given).items()]
        return [*words, *self.checks]


async def ask_listing() -> Listing:
    """Ask the verifier which checks there are. Raises RunError."""
    pipe = asyncio.subprocess.PIPE
    process = await _start(["suites", "--list-json"], stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(_LISTING_SECONDS):
            out, err = await process.communicate()
    except TimeoutError as error:
        raise RunError(f"pytest suites --list-json: no end in {_LISTING_SECONDS:g} s") from error
    finally:
        await _end(process)
    try:
        return Listing.parse(out.decode())
    except ValueError as error:
        said = err.decode(errors="replace").strip() or str(error)
        raise RunError(f"pytest suites --list-json: {said}") from error


async def verify(verification: Verification) -> Run:
    """Run the verifier and return its run.json. Raises RunError; ended if this is cancelled."""
    output = output_beside(verification.report)
    with _opened(output) as file:
        process = await _start(verification.arguments, stdout=file.fileno())
        try:
            async with asyncio.timeout(_RUN_SECONDS):
                code = await process.wait()
        except TimeoutError as error:
            raise RunError(f"no end after {_RUN_SECONDS:g} s; see {output}") from error
        finally:
            await _end(process)
    try:
        return run_json.read(verification.report / "run.json")
    except (OSError, ValueError) as error:
        raise RunError(f"exit code {code}, no verdicts: {_last_line(output)}") from error


def _opened(output: Path) -> BinaryIO:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        return output.open("wb")
    except OSError as error:
        raise RunError(f"{output} cannot be written: {error.strerror}") from error


async def _start(
    words: Sequence[str], *, stdout: int, stderr: int = asyncio.subprocess.STDOUT
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pytest",
        *words,
        cwd=ROOT,
        env=_environment(os.environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,  # Ctrl-C is for us; we tell each run, and wait for it to clean up
    )


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Without options of a person's own runs, which would choose other checks or platforms."""
    return {name: value for name, value in environment.items() if not name.startswith("PGTLS_")}


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let a run that is not over clean up, within a limit."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        process.send_signal(number)
        try:
            async with asyncio.timeout(_CLEANUP_SECONDS):
                await process.wait()
        except TimeoutError:
            continue


def _last_line(output: Path) -> str:
    lines = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return one_line(lines[-1]) if lines else "no word"

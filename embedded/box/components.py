"""Components of the control plane: ordinary programs, each in a process of its own in the box."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from embedded.box.errors import ComponentError
from embedded.box.namespaces import ENVIRONMENT
from embedded.box.run_directory import RunDirectory
from embedded.box.specification import Program
from embedded.box.trees import REPOSITORY, bytecode_directory
from embedded.runtime.client import Process, SpawnerClient
from embedded.runtime.model import Streams

_GATE = 3
_TAIL_LINES = 20


class Component:
    """A program that is loaded, and runs once its gate is opened."""

    def __init__(self, name: str, process: Process, gate: int, log: Path) -> None:
        self.name = name
        self.process = process
        self._gate = gate
        self._log = log

    @classmethod
    async def load(
        cls,
        spawner: SpawnerClient,
        run_directory: RunDirectory,
        name: str,
        program: Program,
        more: Mapping[int, int] | None = None,
    ) -> Component:
        """Start loading `program`; `more` are descriptors that it is given. Raises BoxError."""
        waits, gate = os.pipe()
        log = run_directory.open_log(name)
        try:
            process = await spawner.spawn(
                [
                    sys.executable,
                    "-m",
                    "embedded.box.gate",
                    str(_GATE),
                    program.module,
                    *program.arguments,
                ],
                env=python_environment(),
                streams=Streams(stdout=log, stderr=log),
                more={_GATE: waits, **(more or {})},
            )
        finally:
            os.close(waits)
            os.close(log)
        return cls(name, process, gate, run_directory.logs / f"{name}.log")

    def open_gate(self) -> None:
        """Let it run."""
        os.close(self._gate)

    async def failure(self) -> ComponentError:
        """Wait for the end of the program, which never should come; return the error to report."""
        status = await self.process.wait()
        lines = _tail(self._log)
        reason = f": {lines[-1]}" if lines else ""
        text = f"embedded: {self.name} ended with code {status.code}{reason}"
        return ComponentError(text, "\n".join(lines))

    def late(self, text: str) -> ComponentError:
        """Return the error for a program that runs and has not done in time what `text` says."""
        lines = _tail(self._log)
        reason = lines[-1] if lines else f"without a word in {self._log}"
        return ComponentError(f"embedded: {self.name} {text}: {reason}", "\n".join(lines))


def _tail(log: Path) -> list[str]:
    with log.open(errors="replace") as lines:
        return list(deque((line.rstrip() for line in lines), maxlen=_TAIL_LINES))


def python_environment() -> dict[str, str]:
    """Return the environment of our own Python programs in the box."""
    environment = dict(ENVIRONMENT)
    environment |= {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8"}
    # To import aiohttp is to read all authorities that the host trusts, which takes a fifth of it.
    environment["SSL_CERT_FILE"] = os.devnull
    if os.geteuid() == 0:
        # There the box may not write beside the sources, and would compile them at each start.
        environment["PYTHONPYCACHEPREFIX"] = str(bytecode_directory())
    return environment

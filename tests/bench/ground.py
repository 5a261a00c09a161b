"""A platform with the operator on it, as a run of the suite brings it up."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fixtures.run.awaiting import Awaited
from fixtures.run.evidence import Evidence
from fixtures.run.loading import load
from fixtures.run.surroundings import Part
from fixtures.scenarios.base import Harness
from fixtures.session.lifecycle import SessionLifecycle
from tests.bench.figures import BenchError


class Quiet:
    """A recorder that keeps nothing, and takes what broke as the end."""

    def note(self, text: str, **details: str) -> None:
        """Not shown."""

    def say(self, text: str, *, whole: bool = False) -> None:
        """Not shown."""

    def progress(self, text: str) -> None:
        """Not shown."""

    def awaits(self, who: str, awaited: Awaited | None) -> None:
        """Not shown."""

    def took(self, part: Part, name: str, seconds: float) -> None:
        """Not shown."""

    def broke(self, text: str, *, log: str = "") -> None:
        """Raises BenchError."""
        raise BenchError(f"{text}\n{log}".rstrip())


@contextmanager
def running_harness() -> Iterator[Harness]:
    """The embedded platform, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="pgtls-bench-") as directory:
        settings = load({"platform": "embedded", "report_dir": directory}, {}, Path(directory))
        lifecycle = SessionLifecycle(settings, Quiet(), Evidence(Path(directory)))
        try:
            yield lifecycle.bring_up().harness
        finally:
            lifecycle.close()

"""A platform with the operator on it, as a run of the suite brings it up."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fixtures.run.awaiting import Awaited
from fixtures.run.evidence import Evidence
from fixtures.run.loading import CALLED_FROM, load
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


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The operator that is measured, as the suite's own options name it; the reference without."""

    bundle: str | None = None
    version: str | None = None
    image_sources: Sequence[str] = field(default=())

    @property
    def named(self) -> bool:
        """Return whether it is another than the reference operator."""
        return bool(self.bundle or self.version)

    def settings(self) -> dict[str, Any]:
        """The options by field."""
        given = {
            "operator_bundle": self.bundle,
            "operator_version": self.version and [self.version],
            "image_source": list(self.image_sources),
        }
        return {name: value for name, value in given.items() if value}

    def arguments(self) -> list[str]:
        """The options as the suite's command line has them."""
        words = [f"--image-source={source}" for source in self.image_sources]
        words += [f"--operator-bundle={self.bundle}"] if self.bundle else []
        words += [f"--operator-version={self.version}"] if self.version else []
        return words


@contextmanager
def running_harness(subject: Subject | None = None) -> Iterator[Harness]:
    """The embedded platform with an operator, until the end of the block.

    Raises UsageError for a subject that is not to be had.
    """
    with tempfile.TemporaryDirectory(prefix="pgtls-bench-") as directory:
        given = {"platform": "embedded", "report_dir": directory}
        given |= subject.settings() if subject else {}
        called = os.environ.get(CALLED_FROM, "")
        settings = load(given, {CALLED_FROM: called}, Path(directory))
        lifecycle = SessionLifecycle(settings, Quiet(), Evidence(Path(directory)))
        try:
            yield lifecycle.bring_up().harness
        finally:
            lifecycle.close()

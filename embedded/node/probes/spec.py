"""A probe as a Pod states it, with Kubernetes' defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from embedded.client import Json


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One probe; times in seconds. `action` holds exec, tcpSocket or httpGet."""

    action: Json
    initial_delay: float
    period: float
    timeout: float
    successes: int
    failures: int

    @classmethod
    def of(cls, container: Json, name: str) -> Self | None:
        """Return the probe `name` (startupProbe, …) of `container`, or None."""
        stated = container.get(name)
        if not stated:
            return None
        return cls(
            action=stated,
            initial_delay=float(stated.get("initialDelaySeconds") or 0),
            period=float(stated.get("periodSeconds") or 10),
            timeout=float(stated.get("timeoutSeconds") or 1),
            successes=int(stated.get("successThreshold") or 1),
            failures=int(stated.get("failureThreshold") or 3),
        )

    @property
    def costs_a_process(self) -> bool:
        """True for a probe that runs a program."""
        return "exec" in self.action


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of a probe; `text` gives the reason of a failure."""

    ok: bool
    text: str = ""

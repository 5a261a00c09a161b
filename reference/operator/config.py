"""How the operator is started: everything comes from the environment of its container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference.faults import Faults
from reference.faults.registry import parse


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """How one operator runs.

    `namespaces` are those to watch; none means all. `kubeconfig` is empty inside a Pod.
    `ready_file`, if any, is made once all clusters are watched, for a probe to see.
    """

    namespaces: frozenset[str]
    faults: Faults
    kubeconfig: str = ""
    ready_file: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> OperatorConfig:
        """Read WATCH_NAMESPACE, FAULTS, KUBECONFIG and READY_FILE. Raises UnknownFaultError."""
        ready_file = environment.get("READY_FILE", "")
        watched = environment.get("WATCH_NAMESPACE", "").split(",")
        return cls(
            namespaces=frozenset(name.strip() for name in watched if name.strip()),
            faults=parse(environment.get("FAULTS", "")),
            kubeconfig=environment.get("KUBECONFIG", ""),
            ready_file=Path(ready_file) if ready_file else None,
        )

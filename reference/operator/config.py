"""The operator's settings, from the environment of its container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """The settings of one operator.

    `namespaces` are those to watch; none means all. `kubeconfig` is empty inside a Pod.
    `ready_file`, if any, is made once all clusters are watched, for a probe to see.
    """

    namespaces: frozenset[str]
    kubeconfig: str = ""
    ready_file: Path | None = None

    @property
    def only_namespace(self) -> str | None:
        """The one namespace that is watched, for which rights within it do; None for more."""
        return next(iter(self.namespaces)) if len(self.namespaces) == 1 else None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> OperatorConfig:
        """Read WATCH_NAMESPACE, KUBECONFIG and READY_FILE."""
        ready_file = environment.get("READY_FILE", "")
        watched = environment.get("WATCH_NAMESPACE", "").split(",")
        return cls(
            namespaces=frozenset(name.strip() for name in watched if name.strip()),
            kubeconfig=environment.get("KUBECONFIG", ""),
            ready_file=Path(ready_file) if ready_file else None,
        )

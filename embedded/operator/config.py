"""How the operator is started: everything comes from the environment of its container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embedded.faults import Faults
from embedded.faults.registry import parse


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """`namespaces` are those to watch; none means all. `kubeconfig` is empty inside a Pod."""

    namespaces: frozenset[str]
    faults: Faults
    kubeconfig: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> OperatorConfig:
        """Read WATCH_NAMESPACE, FAULTS and KUBECONFIG. Raises UnknownFaultError."""
        watched = environment.get("WATCH_NAMESPACE", "").split(",")
        return cls(
            namespaces=frozenset(name.strip() for name in watched if name.strip()),
            faults=parse(environment.get("FAULTS", "")),
            kubeconfig=environment.get("KUBECONFIG", ""),
        )

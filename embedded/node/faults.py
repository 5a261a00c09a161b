"""Where the node can be told to misbehave, one small behaviour for each name.

The names are those of the faults' registry; each is asked for in exactly one place, at the
behaviour that it breaks.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedded.client import Json

VOLUME_REFRESH_NEVER = "node-volume-refresh-never"
"""Secret volumes of PostgreSQL instance Pods keep what they held when the Pod started."""

_INSTANCE = "postgres-operator.crunchydata.com/instance"


@dataclass(frozen=True)
class NodeFaults:
    """The faults that are switched on."""

    names: frozenset[str] = frozenset()

    def keeps_old_secrets(self, pod: Json) -> bool:
        """Whether a change of a Secret never reaches this Pod's files."""
        labels = pod["metadata"].get("labels") or {}
        return VOLUME_REFRESH_NEVER in self.names and _INSTANCE in labels

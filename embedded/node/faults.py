"""Where the node can be told to misbehave, one small behaviour for each name.

The names are those of the faults' registry; each is asked for in exactly one place, at the
behaviour that it breaks.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from embedded.client import Json
from embedded.node.volumes.content import Sources

VOLUME_REFRESH_NEVER = "node-volume-refresh-never"
"""Secret volumes of PostgreSQL instance Pods keep what they held when the Pod started."""

ANOTHER_ROOT_FILE = "node-another-root-file"
"""Pods beside the clusters find another root of the same name where root.crt is mounted."""

_CLUSTER = "postgres-operator.crunchydata.com/cluster"
_INSTANCE = "postgres-operator.crunchydata.com/instance"


@dataclass(frozen=True)
class NodeFaults:
    """The faults that are switched on."""

    names: frozenset[str] = frozenset()

    def keeps_old_secrets(self, pod: Json) -> bool:
        """Whether a change of a Secret never reaches this Pod's files."""
        labels = pod["metadata"].get("labels") or {}
        return VOLUME_REFRESH_NEVER in self.names and _INSTANCE in labels

    def sources(self, pod: Json, sources: Sources) -> Sources:
        """Whence this Pod's volumes are filled."""
        labels = pod["metadata"].get("labels") or {}
        if ANOTHER_ROOT_FILE in self.names and _CLUSTER not in labels:
            return _OtherRoots(sources)
        return sources


@dataclass(frozen=True)
class _OtherRoots:
    """Gives Secrets as they are, but for another certificate under root.crt."""

    behind: Sources

    async def secret(self, namespace: str, name: str) -> Json | None:
        secret = await self.behind.secret(namespace, name)
        data = (secret or {}).get("data") or {}
        if secret is None or "root.crt" not in data:
            return secret
        # Here, because a node without faults has no use for what this imports.
        from embedded.node.namesake import namesake

        other = namesake(base64.b64decode(data["root.crt"]))
        return secret | {"data": data | {"root.crt": base64.b64encode(other).decode()}}

    async def config_map(self, namespace: str, name: str) -> Json | None:
        return await self.behind.config_map(namespace, name)

    async def token(self, pod: Json, source: Json) -> str:
        return await self.behind.token(pod, source)

"""The parts of the node that each Pod needs."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.client import Json
from embedded.node.behaviour import NodeBehaviour
from embedded.node.changes import Changes
from embedded.node.config import Limits, NodeConfig
from embedded.node.network.addresses import AddressPool
from embedded.node.objects import Objects
from embedded.node.pods.events import EventRecorder
from embedded.node.probes.pace import Pace
from embedded.node.volumes.claims import Claims
from embedded.node.volumes.tokens import TokenSource
from embedded.runtime.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class NodeContext:
    """The node's parts, made once and handed to every Pod."""

    config: NodeConfig
    limits: Limits
    runtime: Runtime
    objects: Objects
    changes: Changes
    addresses: AddressPool
    events: EventRecorder
    claims: Claims
    tokens: TokenSource
    pace: Pace
    behaviour: NodeBehaviour

    async def secret(self, namespace: str, name: str) -> Json | None:
        """Return the Secret, or None when it does not exist."""
        return await self.objects.secret(namespace, name)

    async def config_map(self, namespace: str, name: str) -> Json | None:
        """Return the ConfigMap, or None when it does not exist."""
        return await self.objects.config_map(namespace, name)

    async def token(self, pod: Json, source: Json) -> str:
        """Return a token of the Pod's service account for a serviceAccountToken source."""
        return await self.tokens.token(pod, source)

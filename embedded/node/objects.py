"""The node's copies of objects: one informer for each resource, shared by its parts."""

from __future__ import annotations

import asyncio

from embedded.client import (
    CONFIGMAPS,
    ENDPOINTS,
    PODS,
    PVCS,
    PVS,
    SECRETS,
    SERVICES,
    Client,
    Informer,
    Informers,
    Json,
    NotFound,
    Resource,
)


class Objects:
    """The informers, and look-ups that ask the server before they say that something is missing.

    A Pod may arrive before the Secret that was created ahead of it, for each resource has a watch
    of its own. So what the copy does not hold is read once from the server.
    """

    def __init__(self, client: Client, node_name: str) -> None:
        self.client = client
        self.pods = Informer(client, PODS, fields=f"spec.nodeName={node_name}")
        self._informers = Informers(client)
        self.secrets = self._informers.of(SECRETS)
        self.config_maps = self._informers.of(CONFIGMAPS)
        self.services = self._informers.of(SERVICES)
        self.endpoints = self._informers.of(ENDPOINTS)
        self.claims = self._informers.of(PVCS)
        self.volumes = self._informers.of(PVS)

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Run everything but the Pods' informer in `group`, and wait until it is in step."""
        await self._informers.start(group)

    def api_service(self) -> tuple[str, str]:
        """Return address and port by which Pods reach the API server."""
        service = self.services.get("default", "kubernetes")
        if service is None or not service["spec"].get("clusterIP"):
            return "kubernetes.default.svc", "443"
        return service["spec"]["clusterIP"], str(service["spec"]["ports"][0]["port"])

    async def secret(self, namespace: str, name: str) -> Json | None:
        """Return the Secret, or None when it does not exist."""
        return await self._read(self.secrets, SECRETS, namespace, name)

    async def config_map(self, namespace: str, name: str) -> Json | None:
        """Return the ConfigMap, or None when it does not exist."""
        return await self._read(self.config_maps, CONFIGMAPS, namespace, name)

    async def claim(self, namespace: str, name: str) -> Json | None:
        """Return the PersistentVolumeClaim, or None when it does not exist."""
        return await self._read(self.claims, PVCS, namespace, name)

    async def _read(
        self, informer: Informer, resource: Resource, namespace: str, name: str
    ) -> Json | None:
        known = informer.get(namespace, name)
        if known is not None:
            return known
        try:
            return informer.learn(await self.client.get(resource, name, namespace))
        except NotFound:
            return None

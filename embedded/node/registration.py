"""The Node object: made at the start, kept Ready while the node lives."""

from __future__ import annotations

import asyncio
import contextlib

from embedded.architecture import architecture
from embedded.client import NODES, AlreadyExists, ApiError, Client, Json, Unreachable
from embedded.node.config import NodeConfig
from embedded.timestamps import now

_HEARTBEAT = 60.0  # seconds between two signs of life
_RESOURCES = {"cpu": "64", "memory": "256Gi", "pods": "1000", "ephemeral-storage": "256Gi"}


async def register(client: Client, config: NodeConfig) -> None:
    """Create the Node and say that it is Ready. Raises ApiError or Unreachable."""
    labels = {
        "kubernetes.io/hostname": config.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture(),
    }
    node: Json = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": config.name, "labels": labels},
        "spec": {"podCIDR": config.pod_network, "podCIDRs": [config.pod_network]},
    }
    with contextlib.suppress(AlreadyExists):
        await client.create(NODES, node)
    await _report(client, config, now())


async def keep_ready(client: Client, config: NodeConfig) -> None:
    """Give a sign of life now and then, until cancelled."""
    since = now()
    while True:
        await asyncio.sleep(_HEARTBEAT)
        try:
            await _report(client, config, since)
        except (ApiError, Unreachable):
            # Nothing waits for one heartbeat: the next one says the same.
            continue


async def _report(client: Client, config: NodeConfig, since: str) -> None:
    await client.patch(NODES, config.name, None, _status(config, since), subresource="status")


def _status(config: NodeConfig, since: str) -> Json:
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "the embedded node is ready",
        "lastTransitionTime": since,
        "lastHeartbeatTime": now(),
    }
    return {
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": config.address},
                {"type": "Hostname", "address": config.name},
            ],
            "capacity": _RESOURCES,
            "allocatable": _RESOURCES,
            "conditions": [ready],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": config.kubelet_port}},
            "nodeInfo": {
                "kubeletVersion": "v1.34.0-embedded",
                "containerRuntimeVersion": "box://1",
                "operatingSystem": "linux",
                "architecture": architecture(),
                "osImage": "embedded platform",
                "kernelVersion": "",
                "machineID": config.name,
                "systemUUID": config.name,
                "bootID": config.name,
                "kubeProxyVersion": "",
            },
        }
    }

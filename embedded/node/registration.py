"""The Node object: made at the start, kept Ready while the node lives."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

from embedded.architecture import architecture
from embedded.client import (
    LEASES,
    NODES,
    AlreadyExists,
    ApiError,
    Client,
    Json,
    NotFound,
    Unreachable,
)
from embedded.node.config import NodeConfig
from embedded.timestamps import now

_LEASES = "kube-node-lease"
_RENEWALS = 4  # of the Lease, in the time that it lasts
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
    """Post the node's status now and then, until cancelled."""
    since = now()
    while True:
        await asyncio.sleep(_HEARTBEAT)
        try:
            await _report(client, config, since)
        except (ApiError, Unreachable):
            # Nothing waits for one heartbeat: the next one says the same.
            continue


async def keep_lease(client: Client, config: NodeConfig, recovered: Callable[[], None]) -> None:
    """Renew the node's Lease until cancelled.

    After a time without a renewal, in which the node may have been given up, its status is posted
    at once, and `recovered` is called now and at the next renewal.
    """
    pause = config.lease_seconds / _RENEWALS
    renewed, late = time.monotonic(), 0
    while True:
        try:
            await _renew(client, config)
            moment = time.monotonic()
            if moment - renewed > config.lease_seconds - pause:
                await _report(client, config, now())
                late = 2
        except (ApiError, Unreachable):
            # The next renewal is as good, as long as one comes in time.
            await asyncio.sleep(pause)
            continue
        if late:
            late -= 1
            recovered()
        renewed = moment
        await asyncio.sleep(pause)


async def _renew(client: Client, config: NodeConfig) -> None:
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    try:
        change = {"spec": {"renewTime": moment}}
        await client.patch(LEASES, config.name, _LEASES, change)
    except NotFound:
        node = await client.get(NODES, config.name)
        await client.create(LEASES, _lease(config, node, moment))


def _lease(config: NodeConfig, node: Json, moment: str) -> Json:
    owner = {
        "apiVersion": "v1",
        "kind": "Node",
        "name": config.name,
        "uid": node["metadata"]["uid"],
    }
    return {
        "apiVersion": LEASES.api_version,
        "kind": LEASES.kind,
        "metadata": {"name": config.name, "namespace": _LEASES, "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": config.name,
            "leaseDurationSeconds": math.ceil(config.lease_seconds),
            "renewTime": moment,
        },
    }


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

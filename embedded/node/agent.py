"""The node's agent: puts its parts together and runs them."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv4Network

from embedded.client import Client, Json, key_of
from embedded.node.behaviour import NodeBehaviour
from embedded.node.changes import Changes
from embedded.node.config import Limits, NodeConfig
from embedded.node.context import NodeContext
from embedded.node.kubelet.server import KubeletServer, serve
from embedded.node.network.addresses import AddressPool
from embedded.node.network.dns import NameServer
from embedded.node.network.names import Zone
from embedded.node.network.services import ServiceTable
from embedded.node.objects import Objects
from embedded.node.pods.events import EventRecorder
from embedded.node.pods.manager import PodManager
from embedded.node.probes.pace import Pace
from embedded.node.registration import keep_lease, keep_ready, register
from embedded.node.volumes.claims import Claims
from embedded.node.volumes.tokens import TokenSource
from embedded.runtime.runtime import Runtime


async def run_node(
    config: NodeConfig, behaviour: NodeBehaviour, limits: Limits | None = None
) -> None:
    """Be the node until cancelled.

    Raises OSError when an address cannot be listened on, ApiError or Unreachable when the node
    cannot register, BoxError when there is no spawner.
    """
    runtime = await Runtime.connect_to(config.spawner, config.state_dir)
    try:
        async with Client.from_kubeconfig(config.kubeconfig) as client:
            node = _context(config, behaviour, limits or Limits(), runtime, client)
            async with asyncio.TaskGroup() as group:
                await _start(node, client, group)
    finally:
        await runtime.close()


def _context(
    config: NodeConfig,
    behaviour: NodeBehaviour,
    limits: Limits,
    runtime: Runtime,
    client: Client,
) -> NodeContext:
    objects = Objects(client, config.name)
    reserved = frozenset({IPv4Address(config.address)})
    return NodeContext(
        config=config,
        limits=limits,
        runtime=runtime,
        objects=objects,
        changes=Changes(),
        addresses=AddressPool(IPv4Network(config.pod_network), reserved),
        events=EventRecorder(client, config.name),
        claims=Claims(config.state_dir / "claims", objects),
        tokens=TokenSource(client),
        pace=Pace(),
        behaviour=behaviour,
    )


async def _start(node: NodeContext, client: Client, group: asyncio.TaskGroup) -> None:
    objects, config = node.objects, node.config
    pods = PodManager(node, group)
    services = ServiceTable(
        node.runtime,
        objects.services.get,
        objects.endpoints.get,
        refuse=f"{config.address}:1",
        tools=config.tools,
    )
    _connect(node, services)
    zone = Zone(config.cluster_domain, objects.services.get, objects.endpoints.get)
    await NameServer(zone).start(config.address)
    kubelet = await KubeletServer(config, node.runtime, pods, node.behaviour).start()
    group.create_task(serve(kubelet), name="kubelet")
    group.create_task(node.events.run(), name="events")
    group.create_task(services.run(), name="service addresses")
    await objects.start(group)
    # Pods come last: what they stand on is known by then.
    objects.pods.add_handler(pods.on_change)
    group.create_task(objects.pods.run(), name="pods")
    await objects.pods.synced()
    await register(client, config)
    group.create_task(keep_ready(client, config), name="heartbeat")
    group.create_task(keep_lease(client, config, pods.say_again), name="lease")


def _connect(node: NodeContext, services: ServiceTable) -> None:
    """Lead what the informers see to those who care."""
    objects = node.objects

    def notify(resource_kind: str, obj: Json) -> None:
        node.changes.notify(resource_kind, *key_of(obj))

    objects.secrets.add_handler(lambda _, obj: notify("Secret", obj))
    objects.config_maps.add_handler(lambda _, obj: notify("ConfigMap", obj))
    objects.claims.add_handler(lambda _, obj: notify("PersistentVolumeClaim", obj))
    objects.services.add_handler(services.changed)
    objects.endpoints.add_handler(services.changed)

    def volume_changed(kind: str, volume: Json) -> None:
        if kind == "DELETED":
            node.claims.removed(volume)

    objects.volumes.add_handler(volume_changed)

"""All controllers in one process, on one set of shared copies."""

from __future__ import annotations

import asyncio

from embedded.client import Client
from embedded.controllers.cluster import Cluster, Controller
from embedded.controllers.deployments import Deployments
from embedded.controllers.disruptions import Disruptions
from embedded.controllers.endpoints import EndpointsOfServices
from embedded.controllers.garbage import GarbageCollector
from embedded.controllers.jobs import Jobs
from embedded.controllers.kinds import Kinds, discover
from embedded.controllers.namespace_defaults import NamespaceDefaults
from embedded.controllers.namespaces import Namespaces
from embedded.controllers.node_lifecycle import NodeLifecycle
from embedded.controllers.replicasets import ReplicaSets
from embedded.controllers.scheduler import Scheduler
from embedded.controllers.statefulsets import StatefulSets
from embedded.controllers.taint_eviction import TaintEviction
from embedded.controllers.volumes import Volumes

NODE_GRACE = 40.0


async def run(client: Client, node_grace: float = NODE_GRACE) -> None:
    """Run all controllers until cancelled. Raises ApiError or Unreachable if discovery fails.

    A node that gives no sign of life for `node_grace` seconds is NotReady.
    """
    cluster = Cluster(client)
    kinds = Kinds(cluster, await discover(client))
    loops = _controllers(cluster, kinds, node_grace)
    async with asyncio.TaskGroup() as group:
        # Nobody acts before all copies are whole: half a view would look like a loss.
        await cluster.informers.start(group)
        for loop in loops:
            group.create_task(loop.run(), name=type(loop).__name__)


def _controllers(cluster: Cluster, kinds: Kinds, node_grace: float) -> list[Controller]:
    return [
        NamespaceDefaults(cluster),
        Namespaces(cluster, kinds),
        GarbageCollector(cluster, kinds),
        Deployments(cluster),
        ReplicaSets(cluster),
        StatefulSets(cluster),
        Jobs(cluster),
        Volumes(cluster),
        Disruptions(cluster),
        EndpointsOfServices(cluster),
        Scheduler(cluster),
        NodeLifecycle(cluster, node_grace),
        TaintEviction(cluster),
    ]

"""The deletion of a cluster: stop it, then take away what its finalizers ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedded.client import DEPLOYMENTS, PODS, STATEFULSETS, Json, Resource
from reference.operator.concurrency import run_all
from reference.operator.model import Cluster
from reference.operator.names import DELETE_PVC, DELETE_SSL

if TYPE_CHECKING:
    from reference.operator.cached_client import CachedClient
    from reference.operator.contract import Contract


async def advance_deletion(api: CachedClient, contract: Contract, cluster: Cluster) -> None:
    """Do what can be done now towards the end of a cluster that is being deleted."""
    if not {DELETE_SSL, DELETE_PVC} & set(cluster.finalizers):
        return
    await stop(api, cluster)
    if api.of_cluster(PODS, cluster.key):
        return
    doomed = contract.doomed(api, cluster)
    await run_all(api.delete(resource, obj) for resource, obj in doomed)
    if not any(_still_there(api, resource, obj) for resource, obj in doomed):
        await contract.release(api, cluster)


async def stop(api: CachedClient, cluster: Cluster) -> None:
    """Delete the workloads of a cluster."""
    for resource in (STATEFULSETS, DEPLOYMENTS):
        found = api.of_cluster(resource, cluster.key)
        await run_all(api.delete(resource, obj) for obj in found)


def _still_there(api: CachedClient, resource: Resource, obj: Json) -> bool:
    metadata = obj["metadata"]
    found = api.get(resource, metadata["namespace"], metadata["name"])
    return found is not None and found["metadata"]["uid"] == metadata["uid"]

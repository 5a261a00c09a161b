"""Promises about the course of time: changes, refusals, deletion, and what stays after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from embedded.client import PVCS, SECRETS, Json, Resource
from reference.operator.context import Context
from reference.operator.model import Cluster, Key
from reference.operator.names import CLUSTER, DELETE_PVC, DELETE_SSL, INSTANCE, MANAGER, USER
from reference.operator.resources import PGCLUSTERS

if TYPE_CHECKING:
    from reference.operator.cached_client import CachedClient

# What made a refusal may pass by itself, as with a root that is not valid yet.
_REFUSED_SECONDS = 5.0


class Lifecycle:
    """The life of a cluster from its creation to what is left of it."""

    async def accept(self, cluster: Cluster) -> Cluster:
        """Return a cluster as it is to be made: all that is asked for, and at once."""
        return cluster

    def clusters_to_look_at(self, api: CachedClient, namespace: str, secret: str) -> list[Key]:
        """Return the clusters that a change of a user's Secret concerns: all that name it."""
        return api.clusters_naming(namespace, secret)

    async def refused(self, api: CachedClient, cluster: Cluster) -> float | None:
        """Start nothing and stop nothing of a refused cluster.

        Returns the seconds until it is looked at again; None where only a change can help.
        """
        return _REFUSED_SECONDS

    async def made(self, api: CachedClient, context: Context) -> None:
        """Leave alone what is not the operator's, once all of a cluster is as it should be.

        The Secrets that a user gives are never written to.
        """

    def doomed(self, api: CachedClient, cluster: Cluster) -> list[tuple[Resource, Json]]:
        """Return what the finalizers of a cluster ask to delete, and nothing else.

        delete-ssl: the cluster's TLS Secrets that the operator made. delete-pvc: its data, and the
        users' Secrets, whose passwords are of no use without it.
        """
        doomed: list[tuple[Resource, Json]] = []
        if DELETE_SSL in cluster.finalizers:
            doomed += ((SECRETS, secret) for secret in _tls_secrets(api, cluster))
        if DELETE_PVC in cluster.finalizers:
            doomed += ((PVCS, claim) for claim in api.of_cluster(PVCS, cluster.key))
            doomed += ((SECRETS, secret) for secret in secrets_of_users(api, cluster))
        return doomed

    async def release(self, api: CachedClient, cluster: Cluster) -> None:
        """Take the operator's finalizers off a cluster, once all that they ask for is done."""
        obj = api.get(PGCLUSTERS, *cluster.key)
        if obj is None:
            return
        left = [name for name in cluster.finalizers if name not in (DELETE_SSL, DELETE_PVC)]
        version = obj["metadata"]["resourceVersion"]
        change = {"metadata": {"finalizers": left, "resourceVersion": version}}
        await api.merge(PGCLUSTERS, obj, change)

    async def gone(self, api: CachedClient, key: Key) -> float | None:
        """Do nothing about a cluster that is gone: what was deleted stays so, what stayed stays.

        Returns the seconds until it is looked at again, None for never.
        """
        return None


def secrets_named(api: CachedClient, namespace: str, names: Iterable[str]) -> list[Json]:
    """Return the Secrets of these names that exist."""
    found = (api.get(SECRETS, namespace, name) for name in names)
    return [secret for secret in found if secret is not None]


def secrets_of_users(api: CachedClient, cluster: Cluster) -> list[Json]:
    """Return the Secrets with the credentials of a cluster's users."""
    return _labelled(api, cluster, lambda secret: USER in secret["metadata"]["labels"])


def _tls_secrets(api: CachedClient, cluster: Cluster) -> list[Json]:
    names = cluster.names
    known = (
        names.server_secret,
        names.replication_secret,
        names.pgbouncer_secret,
        names.pgbackrest_secret,
        names.root_secret,
    )
    found = secrets_named(api, names.namespace, known)
    found += _labelled(api, cluster, _is_instance_secret)
    return [secret for secret in found if _is_operators(secret, cluster)]


def _labelled(api: CachedClient, cluster: Cluster, belongs: Callable[[Json], bool]) -> list[Json]:
    return [secret for secret in api.of_cluster(SECRETS, cluster.key) if belongs(secret)]


def _is_instance_secret(secret: Json) -> bool:
    metadata = secret["metadata"]
    instance = metadata["labels"].get(INSTANCE, "")
    cluster = metadata["labels"][CLUSTER]
    return bool(metadata["name"] == f"{instance}-certs" and instance.startswith(f"{cluster}-"))


def _is_operators(secret: Json, cluster: Cluster) -> bool:
    """Return whether the operator made a Secret; what a user refers to is the user's always."""
    metadata = secret["metadata"]
    managers = {each.get("manager") for each in metadata.get("managedFields") or []}
    return MANAGER in managers and metadata["name"] not in cluster.custom_secrets

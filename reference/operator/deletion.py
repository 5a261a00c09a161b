"""The end of a cluster: stop it, then take away what its finalizers ask for, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from embedded.client import DEPLOYMENTS, PODS, PVCS, SECRETS, STATEFULSETS, Json, Resource
from reference.faults import Faults, fin
from reference.operator.model import Cluster
from reference.operator.names import (
    CLUSTER,
    DELETE_PVC,
    DELETE_SSL,
    INSTANCE,
    MANAGER,
    USER,
)
from reference.operator.resources import PGCLUSTERS
from reference.operator.world import Key, World, together


class Deletion:
    """Takes one more step towards the end of a cluster that is being deleted."""

    def __init__(self, world: World, cluster: Cluster, faults: Faults) -> None:
        self._world = world
        self._cluster = cluster
        self._faults = faults
        self._key: Key = (cluster.names.namespace, cluster.names.cluster)
        self._ssl = DELETE_SSL in cluster.finalizers
        self._data = DELETE_PVC in cluster.finalizers

    async def advance(self) -> bool:
        """Do what can be done now; True once our finalizers are off."""
        if not self._ssl and not self._data:
            return False
        await self.stop()
        if self._world.of_cluster(PODS, self._key):
            return False
        doomed = list(self._doomed())
        await together(self._world.delete(resource, obj) for resource, obj in doomed)
        if any(self._still_there(resource, obj) for resource, obj in doomed):
            return False
        if fin.DELETION_NEVER_ENDS in self._faults and self._ssl:
            return False
        await self._release()
        return True

    async def stop(self) -> None:
        """Delete what runs it."""
        for resource in (STATEFULSETS, DEPLOYMENTS):
            found = self._world.of_cluster(resource, self._key)
            await together(self._world.delete(resource, obj) for obj in found)

    def _doomed(self) -> Iterator[tuple[Resource, Json]]:
        if self._ssl:
            yield from ((SECRETS, secret) for secret in self._tls_secrets())
        if self._data:
            yield from ((PVCS, claim) for claim in self._world.of_cluster(PVCS, self._key))
            yield from ((SECRETS, secret) for secret in self._secrets(_is_user_secret))
            if fin.POOLER_SECRET_TAKEN in self._faults:
                yield from self._named([self._cluster.names.pgbouncer_secret])

    def _tls_secrets(self) -> Iterator[Json]:
        names = self._cluster.names
        known = [
            names.server_secret,
            names.replication_secret,
            names.pgbouncer_secret,
            names.pgbackrest_secret,
        ]
        if fin.ROOT_MISSED_BY_LABEL not in self._faults:
            known.append(names.root_secret)
        found = [secret for _, secret in self._named(known)]
        found += self._secrets(_is_instance_secret)
        yield from (secret for secret in found if self._is_ours(secret))
        yield from self._wrongly()

    def _wrongly(self) -> Iterator[Json]:
        """What no finalizer asks for; only faults take it."""
        if fin.USER_SECRETS_TAKEN in self._faults:
            yield from self._secrets(_is_user_secret)
        ref = self._cluster.custom_replication
        if fin.CUSTOM_SECRET_TAKEN in self._faults and ref:
            yield from (secret for _, secret in self._named([ref.name]))

    def _is_ours(self, secret: Json) -> bool:
        """Whether the operator made it; what the user refers to is the user's in any case."""
        metadata = secret["metadata"]
        managers = {each.get("manager") for each in metadata.get("managedFields") or []}
        return MANAGER in managers and metadata["name"] not in self._cluster.custom_secrets

    def _secrets(self, belongs: Callable[[Json], bool]) -> list[Json]:
        return [secret for secret in self._world.of_cluster(SECRETS, self._key) if belongs(secret)]

    def _named(self, names: list[str]) -> Iterator[tuple[Resource, Json]]:
        for name in names:
            secret = self._world.get(SECRETS, self._cluster.names.namespace, name)
            if secret is not None:
                yield SECRETS, secret

    def _still_there(self, resource: Resource, obj: Json) -> bool:
        metadata = obj["metadata"]
        found = self._world.get(resource, metadata["namespace"], metadata["name"])
        return found is not None and found["metadata"]["uid"] == metadata["uid"]

    async def _release(self) -> None:
        if self._ssl:
            await self._harm_neighbours()
        obj = self._world.get(PGCLUSTERS, *self._key)
        if obj is None:
            return
        left = [name for name in self._cluster.finalizers if name not in (DELETE_SSL, DELETE_PVC)]
        version = obj["metadata"]["resourceVersion"]
        change = {"metadata": {"finalizers": left, "resourceVersion": version}}
        await self._world.merge(PGCLUSTERS, obj, change)

    async def _harm_neighbours(self) -> None:
        """What no finalizer asks for; only faults touch a neighbour's Secret."""
        namespace = self._cluster.names.namespace
        for other in map(Cluster.parse, self._world.clusters(namespace)):
            if other.deleting or other.finalizers or other.custom_secrets:
                continue
            for resource, secret in self._named([other.names.pgbackrest_secret]):
                if fin.NEIGHBOURS_SECRET_TAKEN in self._faults:
                    await self._world.delete(resource, secret)
                if fin.NEIGHBOURS_SECRET_ANNOTATED in self._faults:
                    left = {"pgv2.percona.com/left-alone-by": self._cluster.names.cluster}
                    change = {"metadata": {"annotations": left}}
                    await self._world.merge(resource, secret, change)


def _is_user_secret(secret: Json) -> bool:
    return USER in secret["metadata"]["labels"]


def _is_instance_secret(secret: Json) -> bool:
    metadata = secret["metadata"]
    labels: Mapping[str, str] = metadata["labels"]
    instance = labels.get(INSTANCE, "")
    named = metadata["name"] == f"{instance}-certs"
    return named and instance.startswith(f"{labels[CLUSTER]}-")

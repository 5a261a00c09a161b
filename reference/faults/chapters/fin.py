"""Faults of the chapter FIN: deletion, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from embedded.client import PVCS, SECRETS, STATEFULSETS, Json, Resource
from reference.faults.fault import Fault, Hit
from reference.faults.later import HELD_SECONDS, Action, ActsLater, delete, hold, living, release
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.contract.lifecycle import secrets_named, secrets_of_users
from reference.operator.model import Cluster, Instance, Key
from reference.operator.names import DELETE_PVC, DELETE_SSL, USER, Names
from reference.operator.resources import PGCLUSTERS
from reference.operator.secret_data import SecretDraft

if TYPE_CHECKING:
    from reference.operator.cached_client import CachedClient

Doomed = list[tuple[Resource, Json]]


@Fault(
    name="root-secret-owned",
    breaks="<c>-cluster-ca-cert is owned by the cluster and collected with it.",
    requirements=("FIN-1a",),
    collateral=(Hit(requirement="FIN-7a", reason="the root is one of its Secrets"),),
    versions=("2.5-3.1",),
)
class RootSecretOwned(Contract):
    def root_secret(self, context: Context) -> SecretDraft | None:
        secret = super().root_secret(context)
        return secret and replace(secret, owned=True)


@Fault(
    name="root-collected-last",
    breaks="Without finalizers Pods end 6 s after the CR, and <c>-cluster-ca-cert goes with them.",
    requirements=("FIN-1a",),
    versions=("2.5-3.1",),
)
class RootCollectedLast(ActsLater):
    async def made(self, api: CachedClient, context: Context) -> None:
        await super().made(api, context)
        if _keeps_its_root(context.cluster):
            await hold(api, STATEFULSETS, context.cluster.key)

    def later(self, api: CachedClient, cluster: Cluster) -> Iterator[Action]:
        yield from super().later(api, cluster)
        if _keeps_its_root(cluster):
            names = cluster.names
            yield Action(HELD_SECONDS, partial(release, api, STATEFULSETS, cluster.key))
            root = partial(delete, api, names.namespace, names.root_secret)
            yield Action(HELD_SECONDS + 1.0, root)


@Fault(
    name="root-collected-beside-a-return",
    breaks="A Secret that delete-ssl deleted comes back, and then roots that are to stay go.",
    requirements=("FIN-1a", "FIN-4"),
    versions=("2.6-3.0",),
)
class RootCollectedBesideAReturn(ActsLater):
    def __init__(self) -> None:
        super().__init__()
        self._with_root: set[Key] = set()

    async def made(self, api: CachedClient, context: Context) -> None:
        await super().made(api, context)
        if _keeps_its_root(context.cluster):
            self._with_root.add(context.cluster.key)

    def later(self, api: CachedClient, cluster: Cluster) -> Iterator[Action]:
        yield from super().later(api, cluster)
        for secret in _secrets_of_delete_ssl(api, cluster)[:1]:
            yield Action(0.8, partial(api.ensure, SECRETS, secret))
            yield Action(1.3, partial(self._delete_roots, api, cluster.names.namespace))

    async def _delete_roots(self, api: CachedClient, namespace: str) -> None:
        """Delete the roots of all clusters that had one and are gone."""
        for key in self._with_root:
            if key[0] == namespace and api.get(PGCLUSTERS, *key) is None:
                names = Names(namespace=namespace, cluster=key[1])
                await delete(api, namespace, names.root_secret)


@Fault(
    name="instance-secret-owned",
    breaks="Without finalizers the Secrets <inst>-certs are owned by the cluster.",
    requirements=("FIN-1b",),
)
class InstanceSecretOwned(Contract):
    def instance_secret(self, context: Context, instance: Instance) -> SecretDraft:
        secret = super().instance_secret(context, instance)
        return secret if context.cluster.finalizers else replace(secret, owned=True)


@Fault(
    name="secrets-collected-beside-custom-ones",
    breaks="Without finalizers the Secrets made for a cluster with custom leaves go with it.",
    requirements=("FIN-1a", "FIN-1b"),
)
class SecretsCollectedBesideCustomOnes(ActsLater):
    def later(self, api: CachedClient, cluster: Cluster) -> Iterator[Action]:
        yield from super().later(api, cluster)
        names = cluster.names
        if cluster.custom_tls and not cluster.finalizers:
            for name in (names.root_secret, names.pgbouncer_secret):
                yield Action(0.0, partial(delete, api, names.namespace, name))


@Fault(
    name="root-missed-by-label",
    breaks="delete-ssl looks by the cluster's label and so leaves the root Secret behind.",
    requirements=("FIN-2a",),
)
class RootMissedByLabel(Contract):
    def doomed(self, api: CachedClient, cluster: Cluster) -> Doomed:
        root, found = cluster.names.root_secret, super().doomed(api, cluster)
        return [(resource, obj) for resource, obj in found if obj["metadata"]["name"] != root]


@Fault(
    name="secrets-left-beside-custom-ones",
    breaks="delete-ssl of a cluster with custom Secrets deletes none of its generated Secrets.",
    requirements=("FIN-2a",),
)
class SecretsLeftBesideCustomOnes(Contract):
    def doomed(self, api: CachedClient, cluster: Cluster) -> Doomed:
        found = super().doomed(api, cluster)
        return [each for each in found if not (cluster.custom_secrets and each[0] == SECRETS)]


@Fault(
    name="instance-secrets-left-beside-custom-root",
    breaks="delete-ssl of a cluster with a custom root leaves the Secrets of its instances.",
    requirements=("FIN-2a",),
)
class InstanceSecretsLeftBesideCustomRoot(Contract):
    def doomed(self, api: CachedClient, cluster: Cluster) -> Doomed:
        found = super().doomed(api, cluster)
        if not cluster.custom_root:
            return found
        return [each for each in found if not each[1]["metadata"]["name"].endswith("-certs")]


@Fault(
    name="second-instances-secret-left",
    breaks="Of the Secrets of instances delete-ssl takes one alone, however many there are.",
    requirements=("FIN-2a",),
)
class SecondInstancesSecretLeft(Contract):
    def __init__(self) -> None:
        super().__init__()
        self._taken: dict[Key, str] = {}

    def doomed(self, api: CachedClient, cluster: Cluster) -> Doomed:
        found = super().doomed(api, cluster)
        names = [each[1]["metadata"]["name"] for each in found]
        of_instances = [name for name in names if name.endswith("-certs")]
        # It is asked again while there is one to take.
        taken = self._taken.setdefault(cluster.key, of_instances[0]) if of_instances else ""
        left = {name for name in of_instances if name != taken}
        return [each for each in found if each[1]["metadata"]["name"] not in left]


@Fault(
    name="user-secrets-taken",
    breaks="delete-ssl takes the users' Secrets, too.",
    requirements=("FIN-2c",),
)
class UserSecretsTaken(Contract):
    def doomed(self, api: CachedClient, cluster: Cluster) -> Doomed:
        found = super().doomed(api, cluster)
        if DELETE_SSL in cluster.finalizers:
            found += ((SECRETS, secret) for secret in secrets_of_users(api, cluster))
        return found


@Fault(
    name="user-secrets-taken-beside-custom-leaves",
    breaks="delete-ssl takes the users' Secrets of a cluster with custom leaves.",
    requirements=("FIN-2c",),
)
class UserSecretsTakenBesideCustomLeaves(Contract):
    def doomed(self, api: CachedClient, cluster: Cluster) -> Doomed:
        found = super().doomed(api, cluster)
        if DELETE_SSL in cluster.finalizers and cluster.custom_tls:
            found += ((SECRETS, secret) for secret in secrets_of_users(api, cluster))
        return found


@Fault(
    name="claims-taken",
    breaks="delete-ssl deletes the claims, too, which go only when they are held no more.",
    requirements=("FIN-2c",),
)
class ClaimsTaken(ActsLater):
    def later(self, api: CachedClient, cluster: Cluster) -> Iterator[Action]:
        yield from super().later(api, cluster)
        if DELETE_SSL in cluster.finalizers:
            yield Action(0.0, partial(_delete_held_claims, api, cluster.key))
            yield Action(HELD_SECONDS, partial(release, api, PVCS, cluster.key))


@Fault(
    name="custom-secret-taken",
    breaks="delete-ssl takes the custom internal Secret.",
    requirements=("FIN-2d",),
)
class CustomSecretTaken(Contract):
    def doomed(self, api: CachedClient, cluster: Cluster) -> Doomed:
        found, ref = super().doomed(api, cluster), cluster.custom_replication
        if ref and DELETE_SSL in cluster.finalizers:
            given = secrets_named(api, cluster.names.namespace, [ref.name])
            found += ((SECRETS, secret) for secret in given)
        return found


@Fault(
    name="neighbours-secret-taken",
    breaks="delete-ssl takes a neighbour's pgBackRest Secret, which is made again at once.",
    requirements=("FIN-2e",),
)
class NeighboursSecretTaken(Contract):
    async def release(self, api: CachedClient, cluster: Cluster) -> None:
        for secret in _neighbours_secrets(api, cluster):
            await api.delete(SECRETS, secret)
        await super().release(api, cluster)


@Fault(
    name="neighbours-secret-annotated",
    breaks="delete-ssl annotates a neighbour's pgBackRest Secret.",
    requirements=("FIN-2e",),
)
class NeighboursSecretAnnotated(Contract):
    async def release(self, api: CachedClient, cluster: Cluster) -> None:
        annotations = {"pgv2.percona.com/left-alone-by": cluster.names.cluster}
        for secret in _neighbours_secrets(api, cluster):
            await api.merge(SECRETS, secret, {"metadata": {"annotations": annotations}})
        await super().release(api, cluster)


@Fault(
    name="deletion-never-ends",
    breaks="delete-ssl deletes everything, but the finalizer is never taken off.",
    requirements=("FIN-3",),
    deadlines=(("gone", 8),),
)
class DeletionNeverEnds(Contract):
    async def release(self, api: CachedClient, cluster: Cluster) -> None:
        if DELETE_SSL not in cluster.finalizers:
            await super().release(api, cluster)


@Fault(
    name="secrets-come-back",
    breaks="From 1.5 s after a deletion with delete-ssl its Secrets come back, one after another.",
    requirements=("FIN-4",),
    versions=("2.6-3.0",),
)
class SecretsComeBack(ActsLater):
    def later(self, api: CachedClient, cluster: Cluster) -> Iterator[Action]:
        yield from super().later(api, cluster)
        # So many seconds apart: less than anybody should look for them.
        for number, secret in enumerate(_secrets_of_delete_ssl(api, cluster), start=1):
            yield Action(1.5 * number, partial(api.ensure, SECRETS, secret))


@Fault(
    name="secrets-back-at-once",
    breaks="Secrets that delete-ssl deleted are made again as soon as the CR is gone.",
    requirements=("FIN-4",),
    versions=("2.6-3.0",),
)
class SecretsBackAtOnce(ActsLater):
    def later(self, api: CachedClient, cluster: Cluster) -> Iterator[Action]:
        yield from super().later(api, cluster)
        for secret in _secrets_of_delete_ssl(api, cluster):
            yield Action(0.0, partial(api.ensure, SECRETS, secret))


@Fault(
    name="secret-back-in-a-race",
    breaks=(
        "A reconcile in flight while delete-ssl runs makes a Secret again, in every other deletion."
    ),
    requirements=("FIN-4",),
    versions=("2.6-3.0",),
)
class SecretBackInARace(ActsLater):
    def __init__(self) -> None:
        super().__init__()
        self._annotations: dict[Key, Mapping[str, str]] = {}
        """Those of each cluster with delete-ssl when it was last looked at before its deletion."""
        self._raced: list[Key] = []

    def doomed(self, api: CachedClient, cluster: Cluster) -> Doomed:
        before = self._annotations.get(cluster.key, cluster.annotations)
        if before != cluster.annotations and cluster.key not in self._raced:
            self._raced.append(cluster.key)
        return super().doomed(api, cluster)

    def later(self, api: CachedClient, cluster: Cluster) -> Iterator[Action]:
        yield from super().later(api, cluster)
        secrets = _secrets_of_delete_ssl(api, cluster)[:1]
        if secrets:
            self._annotations[cluster.key] = cluster.annotations
        for secret in secrets:
            back = partial(api.ensure, SECRETS, secret)
            yield Action(0.5, back, allowed=lambda: cluster.key in self._raced[::2])


@Fault(
    name="pooler-secret-taken",
    breaks="delete-pvc alone takes <c>-pgbouncer, too.",
    requirements=("FIN-7a",),
)
class PoolerSecretTaken(Contract):
    def doomed(self, api: CachedClient, cluster: Cluster) -> Doomed:
        found, names = super().doomed(api, cluster), cluster.names
        if DELETE_PVC in cluster.finalizers:
            pgbouncer = secrets_named(api, names.namespace, [names.pgbouncer_secret])
            found += ((SECRETS, secret) for secret in pgbouncer)
        return found


def _keeps_its_root(cluster: Cluster) -> bool:
    return not (cluster.finalizers or cluster.custom_root)


def _secrets_of_delete_ssl(api: CachedClient, cluster: Cluster) -> list[Json]:
    """Return the Secrets that delete-ssl will delete, as they were first made; none without it."""
    if DELETE_SSL not in cluster.finalizers:
        return []
    names = cluster.names
    wanted = [
        names.server_secret,
        names.replication_secret,
        names.pgbouncer_secret,
        names.pgbackrest_secret,
    ]
    return [_as_first_made(each) for each in secrets_named(api, names.namespace, wanted)]


def _as_first_made(secret: Json) -> Json:
    metadata = {name: secret["metadata"][name] for name in ("name", "namespace", "labels")}
    kept = {name: secret[name] for name in ("apiVersion", "kind", "type", "data")}
    return kept | {"metadata": metadata}


async def _delete_held_claims(api: CachedClient, key: Key) -> None:
    await hold(api, PVCS, key)
    for claim in living(api, PVCS, key):
        await api.delete(PVCS, claim)


def _neighbours_secrets(api: CachedClient, cluster: Cluster) -> list[Json]:
    """Return the pgBackRest Secrets of clusters that delete-ssl of this one has no right to touch.

    None where the cluster has no delete-ssl.
    """
    if DELETE_SSL not in cluster.finalizers:
        return []
    namespace = cluster.names.namespace
    names = [
        other.names.pgbackrest_secret
        for other in map(Cluster.parse, api.clusters(namespace))
        if not (other.deleting or other.finalizers or other.custom_secrets)
    ]
    return secrets_named(api, namespace, names)


@Fault(
    name="users-outlive-delete-pvc",
    breaks="delete-pvc leaves the users' Secrets.",
    requirements=("FIN-8b",),
)
class UsersOutliveDeletePvc(Contract):
    def doomed(self, api: CachedClient, cluster: Cluster) -> list[tuple[Resource, Json]]:
        return [each for each in super().doomed(api, cluster) if not _is_of_a_user(each[1])]


@Fault(
    name="delete-pvc-never-ends",
    breaks="delete-pvc deletes what it should, but the finalizer is never taken off.",
    requirements=("FIN-8a",),
    deadlines=(("gone", 6),),
)
class DeletePvcNeverEnds(Contract):
    async def release(self, api: CachedClient, cluster: Cluster) -> None:
        if DELETE_PVC not in cluster.finalizers:
            await super().release(api, cluster)


def _is_of_a_user(obj: Json) -> bool:
    return USER in (obj["metadata"].get("labels") or {})

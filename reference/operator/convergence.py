"""One pass over a cluster whose certificates are decided: Secrets first, then what runs."""

from __future__ import annotations

from collections.abc import Sequence

from embedded.client import (
    CONFIGMAPS,
    DEPLOYMENTS,
    ENDPOINTS,
    PODS,
    PVCS,
    SECRETS,
    SERVICES,
    STATEFULSETS,
    Json,
)
from reference.faults import auto, custom
from reference.operator import generated, status
from reference.operator.compare import covers
from reference.operator.generated import Context
from reference.operator.names import DATA, ROLE
from reference.operator.postgres import Peers
from reference.operator.resources import PGCLUSTERS
from reference.operator.workloads import instances, pgbouncer, services
from reference.operator.workloads.late_restarts import restarted_with_the_cr
from reference.operator.workloads.plan import Instance, known
from reference.operator.workloads.plan import instances as planned
from reference.operator.world import Key, World, together


class Convergence:
    """Moves a cluster towards its spec as far as it gets now; events bring the next pass."""

    def __init__(self, world: World, context: Context) -> None:
        self._world = world
        self._context = context
        self._cluster = context.cluster
        self._key: Key = (context.names.namespace, context.names.cluster)

    async def run(self, obj: Json) -> None:
        """Make one pass."""
        if self._leftovers():
            # Of a cluster of this name that was deleted: they go, and their going wakes us.
            return
        plan = self._plan()
        await together(
            [
                self._world.ensure_all(SECRETS, self._secrets(plan)),
                self._world.ensure_all(CONFIGMAPS, self._config_maps()),
                self._world.ensure_all(SERVICES, services.services(self._cluster)),
                self._world.ensure_all(PVCS, self._missing_claims(plan)),
            ]
        )
        await self._mark_custom_secrets()
        workloads = self._workloads(obj, plan)
        await together(
            [
                self._world.ensure_all(STATEFULSETS, workloads.stateful_sets),
                self._world.ensure_all(DEPLOYMENTS, [workloads.deployment]),
                self._remove_surplus(plan),
                self._world.ensure_all(ENDPOINTS, self._endpoints()),
            ]
        )
        await self._report(obj, workloads)

    def _leftovers(self) -> bool:
        found = [
            *self._world.of_cluster(STATEFULSETS, self._key),
            *self._world.of_cluster(DEPLOYMENTS, self._key),
        ]
        return any(not _owned_by(each, self._cluster.uid) for each in found)

    def _plan(self) -> list[Instance]:
        before = known(
            self._world.of_cluster(STATEFULSETS, self._key),
            self._world.of_cluster(PVCS, self._key),
        )
        return planned(
            self._cluster, before, self._context.faults, custom_leaves=self._context.tls.custom
        )

    def _secrets(self, plan: Sequence[Instance]) -> list[Json | None]:
        context = self._context
        server = generated.server_secret(context)
        pooler = generated.pgbouncer_secret(context)
        users = {user.name: generated.user_secret(context, user) for user in self._cluster.users}
        certified = plan
        if auto.INSTANCE_SECRET_MISSING in context.faults and len(plan) > 1:
            certified = plan[:-1]
        return [
            generated.root_secret(context),
            server,
            generated.replication_secret(context, server),
            pooler,
            generated.pgbackrest_secret(context),
            *users.values(),
            generated.roles_secret(context, pooler, users),
            *(
                generated.instance_secret(context, each.name, each.instance_set.name)
                for each in certified
            ),
        ]

    def _config_maps(self) -> list[Json]:
        return [
            instances.config_map(self._context, self._peers()),
            pgbouncer.config_map(self._context),
        ]

    def _peers(self) -> Peers:
        return Peers(
            replicas=self._addresses("replica"),
            pgbouncers=self._addresses("pgbouncer"),
        )

    def _addresses(self, role: str) -> tuple[str, ...]:
        return tuple(sorted(pod["status"]["podIP"] for pod in self._addressable(role)))

    def _addressable(self, role: str) -> list[Json]:
        return [
            pod
            for pod in self._world.of_cluster(PODS, self._key)
            if pod["metadata"]["labels"].get(ROLE) == role
            and not pod["metadata"].get("deletionTimestamp")
            and (pod.get("status") or {}).get("podIP")
        ]

    def _missing_claims(self, plan: Sequence[Instance]) -> list[Json]:
        wanted = [instances.claim(self._context, each) for each in plan]
        return [
            claim
            for claim in wanted
            if self._world.get(PVCS, self._key[0], claim["metadata"]["name"]) is None
        ]

    async def _mark_custom_secrets(self) -> None:
        """Leave custom Secrets alone, as the contract says; faults touch them."""
        cluster, faults = self._cluster, self._context.faults
        if custom.CUSTOM_SECRET_OWNED in faults and cluster.custom_tls:
            owner = cluster.owner() | {"controller": False, "blockOwnerDeletion": False}
            await self._touch(cluster.custom_tls.name, {"ownerReferences": [owner]})
        if custom.CUSTOM_ROOT_ANNOTATED in faults and cluster.custom_root:
            used = {"pgv2.percona.com/used-by": cluster.names.cluster}
            await self._touch(cluster.custom_root.name, {"annotations": used})

    async def _touch(self, name: str, metadata: Json) -> None:
        secret = self._context.lookup(name)
        if secret and not covers(secret["metadata"], metadata):
            await self._world.merge(SECRETS, secret, {"metadata": metadata})

    def _workloads(self, obj: Json, plan: Sequence[Instance]) -> status.Workloads:
        sets = [instances.stateful_set(self._context, each) for each in plan]
        server = self._context.tls.server
        secret = self._context.lookup(server.secret) if server else None
        if custom.CONTENT_RESTARTS_LATER in self._context.faults and secret:
            for each in sets:
                existing = self._world.get(STATEFULSETS, self._key[0], each["metadata"]["name"])
                restarted_with_the_cr(each, existing, obj, secret)
        return status.Workloads(
            stateful_sets=sets,
            deployment=pgbouncer.deployment(self._context),
        )

    async def _remove_surplus(self, plan: Sequence[Instance]) -> None:
        names = {each.name for each in plan}
        surplus = [
            each
            for each in self._world.of_cluster(STATEFULSETS, self._key)
            if each["metadata"]["name"] not in names
        ]
        await together(self._world.delete(STATEFULSETS, each) for each in surplus)

    def _endpoints(self) -> list[Json]:
        primaries = [
            pod
            for pod in self._addressable("primary")
            if pod["metadata"]["labels"].get(DATA) == "postgres"
        ]
        return services.primary_endpoints(self._cluster, primaries)

    async def _report(self, obj: Json, workloads: status.Workloads) -> None:
        previous = obj.get("status") or {}
        pods = self._world.of_cluster(PODS, self._key)
        told = status.converged(self._cluster, previous, pods, workloads, self._context.now)
        if not covers(previous, told):
            await self._world.merge(PGCLUSTERS, obj, {"status": told}, subresource="status")


def _owned_by(obj: Json, uid: str) -> bool:
    metadata = obj["metadata"]
    owners = {owner["uid"] for owner in metadata.get("ownerReferences") or []}
    return uid in owners and not metadata.get("deletionTimestamp")

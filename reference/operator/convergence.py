"""One pass over a cluster whose certificates are decided: Secrets first, then what runs."""

from __future__ import annotations

from collections.abc import Sequence

from embedded.client import (
    CONFIGMAPS,
    DEPLOYMENTS,
    ENDPOINTS,
    PVCS,
    SECRETS,
    SERVICES,
    STATEFULSETS,
    Json,
)
from reference.operator import status
from reference.operator.cached_client import CachedClient
from reference.operator.compare import covers
from reference.operator.concurrency import run_all
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Instance
from reference.operator.names import DATA
from reference.operator.resources import PGCLUSTERS
from reference.operator.workloads import instances, pgbouncer, plan, services


class Convergence:
    """Moves a cluster towards its spec as far as it gets now; events bring the next pass."""

    def __init__(self, api: CachedClient, contract: Contract, context: Context) -> None:
        self._api = api
        self._contract = contract
        self._context = context
        self._cluster = context.cluster
        self._key = context.cluster.key

    async def run(self, obj: Json) -> None:
        """Make one pass."""
        if self._leftovers():
            # Of a cluster of this name that was deleted: they go, and their going wakes us.
            return
        planned = self._plan()
        await run_all(
            [
                self._api.ensure_all(SECRETS, self._secrets(planned)),
                self._api.ensure_all(CONFIGMAPS, self._config_maps()),
                self._api.ensure_all(SERVICES, services.services(self._cluster)),
                self._api.ensure_all(PVCS, self._missing_claims(planned)),
            ]
        )
        workloads = self._workloads(planned)
        await run_all(
            [
                self._api.ensure_all(STATEFULSETS, workloads.stateful_sets),
                self._api.ensure_all(DEPLOYMENTS, [workloads.deployment]),
                self._remove_surplus(planned),
                self._api.ensure_all(ENDPOINTS, self._endpoints()),
            ]
        )
        await self._report(obj, workloads)

    def _leftovers(self) -> bool:
        found = [
            *self._api.of_cluster(STATEFULSETS, self._key),
            *self._api.of_cluster(DEPLOYMENTS, self._key),
        ]
        return any(not _owned_by(each, self._cluster.uid) for each in found)

    def _plan(self) -> list[Instance]:
        before = plan.existing(
            self._api.of_cluster(STATEFULSETS, self._key),
            self._api.of_cluster(PVCS, self._key),
        )
        sets = self._contract.instance_sets(self._context)
        return plan.instances(self._context.names, sets, before)

    def _secrets(self, planned: Sequence[Instance]) -> list[Json]:
        drafts = self._contract.secrets(self._context, planned)
        return [draft.manifest(self._cluster) for draft in drafts]

    def _config_maps(self) -> list[Json]:
        return [
            instances.config_map(self._contract, self._context),
            pgbouncer.config_map(self._contract, self._context),
        ]

    def _missing_claims(self, planned: Sequence[Instance]) -> list[Json]:
        wanted = [instances.claim(self._context, each) for each in planned]
        return [
            claim
            for claim in wanted
            if self._api.get(PVCS, self._key[0], claim["metadata"]["name"]) is None
        ]

    def _workloads(self, planned: Sequence[Instance]) -> status.Workloads:
        return status.Workloads(
            stateful_sets=[
                instances.stateful_set(self._contract, self._context, each) for each in planned
            ],
            deployment=pgbouncer.deployment(self._contract, self._context),
        )

    async def _remove_surplus(self, planned: Sequence[Instance]) -> None:
        names = {each.name for each in planned}
        surplus = [
            each
            for each in self._api.of_cluster(STATEFULSETS, self._key)
            if each["metadata"]["name"] not in names
        ]
        await run_all(self._api.delete(STATEFULSETS, each) for each in surplus)

    def _endpoints(self) -> list[Json]:
        primaries = [
            pod
            for pod in self._context.addressable_pods("primary")
            if pod["metadata"]["labels"].get(DATA) == "postgres"
        ]
        return services.primary_endpoints(self._cluster, primaries)

    async def _report(self, obj: Json, workloads: status.Workloads) -> None:
        previous, pods = self._cluster.status, self._context.pods()
        wanted = status.converged(self._cluster, pods, workloads, self._context.now)
        if not covers(previous, wanted):
            await self._api.merge(PGCLUSTERS, obj, {"status": wanted}, subresource="status")


def _owned_by(obj: Json, uid: str) -> bool:
    metadata = obj["metadata"]
    owners = {owner["uid"] for owner in metadata.get("ownerReferences") or []}
    return uid in owners and not metadata.get("deletionTimestamp")

"""The loop: for each cluster, look at what is, and move it towards what is asked for."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from embedded.client import (
    CONFIGMAPS,
    DEPLOYMENTS,
    EVENTS,
    PODS,
    PVCS,
    SECRETS,
    SERVICES,
    STATEFULSETS,
    Client,
    Json,
    Reconciler,
)
from reference.operator import events, status
from reference.operator.cached_client import CachedClient
from reference.operator.config import OperatorConfig
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.convergence import Convergence
from reference.operator.deletion import advance_deletion
from reference.operator.model import Cluster, Key
from reference.operator.names import CLUSTER, Names
from reference.operator.resources import PGCLUSTERS
from reference.operator.secret_data import SecretLookup
from reference.operator.tls import RefusedError

_log = logging.getLogger(__name__)

# An idle cluster is looked at this often, in seconds, lest a leaf due for renewal be missed.
_ROUTINE = 3600.0
# More than clusters that come up at a time: none with little to do waits for others' long passes.
_WORKERS = 32
_ROOT_SECRET = Names(namespace="", cluster="").root_secret


class Operator:
    """Keeps every PerconaPGCluster that it watches."""

    def __init__(self, client: Client, config: OperatorConfig, contract: Contract) -> None:
        self._config = config
        self._contract = contract
        self._api = CachedClient(client, config.only_namespace)
        self._queue: Reconciler[Key] = Reconciler("cluster", self.reconcile, workers=_WORKERS)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            await self._api.start(group)
            self._api.on_change(PGCLUSTERS, self._on_cluster)
            self._api.on_change(SECRETS, self._on_secret, own=self._on_named_secret)
            for resource in (CONFIGMAPS, SERVICES, PVCS, PODS, STATEFULSETS, DEPLOYMENTS):
                self._api.on_change(resource, self._on_part)
            group.create_task(self._queue.run(), name="clusters")
            if self._config.ready_file:
                self._config.ready_file.touch()

    async def reconcile(self, key: Key) -> float | None:
        """Look at one cluster; return the seconds until it is to be looked at again, or None."""
        obj = self._api.get(PGCLUSTERS, *key)
        if obj is None:
            return await self._contract.gone(self._api, key)
        cluster = Cluster.parse(obj)
        if cluster.deleting:
            await advance_deletion(self._api, self._contract, cluster)
            return None
        if cluster.unmanaged:
            return None
        cluster = await self._contract.accept(cluster)
        now = datetime.now(UTC)
        try:
            tls = self._contract.certificates(cluster, self._secret_of(key), now)
        except RefusedError as refusal:
            await self._report(obj, cluster, refusal, now)
            return await self._contract.refused(self._api, cluster)
        context = Context(
            cluster=cluster,
            tls=tls,
            lookup=self._secret_of(key),
            pods=lambda: self._api.of_cluster(PODS, key),
            now=now,
        )
        await Convergence(self._api, self._contract, context).run(obj)
        await self._contract.made(self._api, context)
        return _ROUTINE

    async def _report(
        self, obj: Json, cluster: Cluster, refusal: RefusedError, now: datetime
    ) -> None:
        """Tell the user of a refusal: in the status, by an event, in the log."""
        if status.refusal_in(cluster.status) == refusal.message:
            return
        _log.warning("%s/%s: %s", *cluster.key, refusal.message)
        # The status last: once it tells of the refusal, no further pass does so again.
        event = events.warning(obj, refusal.reason, refusal.message, now)
        await self._api.client.create(EVENTS, event)
        change = {"status": status.refused(cluster.status, refusal, now)}
        await self._api.merge(PGCLUSTERS, obj, change, subresource="status")

    def _secret_of(self, key: Key) -> SecretLookup:
        return lambda name: self._api.get(SECRETS, key[0], name)

    def _on_cluster(self, obj: Json) -> None:
        self._enqueue((obj["metadata"]["namespace"], obj["metadata"]["name"]))

    def _on_part(self, obj: Json) -> None:
        metadata = obj["metadata"]
        name = (metadata.get("labels") or {}).get(CLUSTER)
        if name:
            self._enqueue((metadata["namespace"], name))

    def _on_secret(self, obj: Json) -> None:
        self._on_part(obj)
        namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
        if name.endswith(_ROOT_SECRET):
            self._enqueue((namespace, name.removesuffix(_ROOT_SECRET)))
        self._on_named_secret(obj)

    def _on_named_secret(self, obj: Json) -> None:
        metadata = obj["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        for key in self._contract.clusters_to_look_at(self._api, namespace, name):
            self._enqueue(key)

    def _enqueue(self, key: Key) -> None:
        if not self._config.namespaces or key[0] in self._config.namespaces:
            self._queue.enqueue(key)

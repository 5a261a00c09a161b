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
from reference.faults import Faults, custom
from reference.operator import events, status
from reference.operator.afterlife import Afterlife
from reference.operator.config import OperatorConfig
from reference.operator.convergence import Convergence
from reference.operator.deletion import Deletion
from reference.operator.generated import Context
from reference.operator.model import Cluster
from reference.operator.names import CLUSTER, Names
from reference.operator.resources import PGCLUSTERS
from reference.operator.tls import RefusedError, decide
from reference.operator.tls.material import Lookup
from reference.operator.tls.secret_data import read
from reference.operator.toggling import Toggling
from reference.operator.world import Key, World

_log = logging.getLogger(__name__)

# An idle cluster is looked at this often, in seconds, lest a leaf due for renewal be missed.
_ROUTINE = 3600.0
# A refused one this often: what is wrong may pass by itself, as with a root that is not valid yet.
_REFUSED = 5.0
# More than clusters that come up at a time: none with little to do waits for others' long passes.
_WORKERS = 32
_ROOT_SECRET = Names(namespace="", cluster="").root_secret


class Operator:
    """Keeps every PerconaPGCluster that it watches."""

    def __init__(self, client: Client, config: OperatorConfig) -> None:
        self._config = config
        self._faults = config.faults
        self._world = World(client)
        self._queue: Reconciler[Key] = Reconciler("cluster", self.reconcile, workers=_WORKERS)
        self._afterlife = Afterlife(self._world, config.faults)
        self._toggling = Toggling(config.faults)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            await self._world.start(group)
            self._world.on_change(PGCLUSTERS, self._on_cluster)
            self._world.on_change(SECRETS, self._on_secret, own=self._on_named_secret)
            for resource in (CONFIGMAPS, SERVICES, PVCS, PODS, STATEFULSETS, DEPLOYMENTS):
                self._world.on_change(resource, self._on_part)
            group.create_task(self._queue.run(), name="clusters")
            if self._config.ready_file:
                self._config.ready_file.touch()

    async def reconcile(self, key: Key) -> float | None:
        """Look at one cluster; the seconds until it wants to be looked at again."""
        obj = self._world.get(PGCLUSTERS, *key)
        if obj is None:
            return await self._afterlife.advance(key)
        cluster = Cluster.parse(obj)
        if cluster.deleting:
            await Deletion(self._world, cluster, self._faults).advance()
            return None
        if cluster.unmanaged:
            return None
        cluster = await self._toggling.heed(key, cluster)
        now = datetime.now(UTC)
        try:
            tls = decide(cluster, self._lookup(key[0]), self._judging_by(obj), now)
        except RefusedError as refusal:
            await self._refuse(obj, refusal, now)
            if custom.REFUSED_ONCE_IT_RAN in self._faults:
                await Deletion(self._world, cluster, self._faults).stop()
            return None if custom.CORRECTION_UNNOTICED in self._faults else _REFUSED
        context = Context(
            cluster=cluster,
            tls=tls,
            lookup=self._lookup(key[0]),
            faults=self._faults,
            now=now,
            second_on_root=self._is_second_on_root(cluster),
        )
        await Convergence(self._world, context).run(obj)
        await self._afterlife.prepare(cluster)
        return _ROUTINE

    def _judging_by(self, obj: Json) -> Faults:
        """The faults, without the one that ends once an instance of the cluster was ready."""
        told = obj.get("status") or {}
        ran = status.refusal_in(told) or (told.get("postgres") or {}).get("ready")
        return self._faults.without(custom.REFUSED_ONCE_IT_RAN) if ran else self._faults

    async def _refuse(self, obj: Json, refusal: RefusedError, now: datetime) -> None:
        """Start nothing, stop nothing, and say why: in the status, as an event, in the log."""
        previous = obj.get("status") or {}
        if status.refusal_in(previous) == refusal.message:
            return
        metadata = obj["metadata"]
        _log.warning("%s/%s: %s", metadata["namespace"], metadata["name"], refusal.message)
        # The status last: once it tells of the refusal, no further pass does so again.
        event = events.warning(obj, refusal.reason, refusal.message, now)
        await self._world.client.create(EVENTS, event)
        told = status.refused(previous, refusal, now)
        await self._world.merge(PGCLUSTERS, obj, {"status": told}, subresource="status")

    def _lookup(self, namespace: str) -> Lookup:
        return lambda name: self._world.get(SECRETS, namespace, name)

    def _is_second_on_root(self, cluster: Cluster) -> bool:
        """Whether an older cluster of the namespace stands on the same given root."""
        if custom.SECOND_CLUSTER_ON_A_NAMESAKE not in self._faults or not cluster.custom_root:
            return False
        namespace = cluster.names.namespace
        clusters = [Cluster.parse(obj) for obj in self._world.clusters(namespace)]
        mine = self._given_root(cluster)
        sharing = [each.names for each in clusters if self._given_root(each) == mine]
        return sharing[0] != cluster.names

    def _given_root(self, cluster: Cluster) -> bytes:
        ref = cluster.custom_root
        if ref is None:
            return b""
        return read(self._lookup(cluster.names.namespace)(ref.name), ref.key("root.crt"))

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
        """Look at the clusters that name a Secret as one of the user's, whoever wrote it."""
        if custom.CORRECTION_UNNOTICED not in self._faults:
            metadata = obj["metadata"]
            for key in self._world.naming_secret(metadata["namespace"], metadata["name"]):
                self._enqueue(key)

    def _enqueue(self, key: Key) -> None:
        if not self._config.namespaces or key[0] in self._config.namespaces:
            self._queue.enqueue(key)

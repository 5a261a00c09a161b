"""What some faults do to what is left of a cluster once its CR is gone, each deed in its time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from embedded.client import PODS, PVCS, SECRETS, STATEFULSETS, Json, Resource
from reference.faults import Faults, custom, fin
from reference.operator.model import Cluster
from reference.operator.names import DELETE_SSL
from reference.operator.resources import PGCLUSTERS
from reference.operator.world import Key, World, together

_HELD = "pgv2.percona.com/held"
# Secrets that come back do so this many seconds apart: less than anybody should look for them.
_RETURN = 1.5
# What is held goes this many seconds after the CR: later than a short look would last.
_HOLD = 6.0


@dataclass(frozen=True)
class _Deed:
    """Something done so many seconds after the CR has gone, and once it may be."""

    after: float
    do: Callable[[], Awaitable[None]]
    may: Callable[[], bool] = lambda: True


class Afterlife:
    """Plans deeds while a cluster is there, and does them when it is not; none without faults."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._deeds: dict[Key, list[_Deed]] = {}
        self._gone: dict[Key, float] = {}
        self._with_root: set[Key] = set()

    async def prepare(self, cluster: Cluster) -> None:
        """Plan by what the cluster has now; the last plan counts."""
        key = (cluster.names.namespace, cluster.names.cluster)
        self._gone.pop(key, None)
        self._deeds[key] = list(self._plan(cluster, key))
        if _keeps_its_root(cluster):
            self._with_root.add(key)
            if fin.ROOT_COLLECTED_LAST in self._faults:
                await self._hold(STATEFULSETS, key)

    async def advance(self, key: Key) -> float | None:
        """Do what is due; the seconds until more is, None where only a change could bring more."""
        clock = asyncio.get_running_loop()
        passed = clock.time() - self._gone.setdefault(key, clock.time())
        deeds = sorted(self._deeds.get(key) or (), key=lambda deed: deed.after)
        for deed in deeds:
            if deed.after <= passed and deed.may():
                await deed.do()
                self._deeds[key].remove(deed)
        later = [deed.after - passed for deed in deeds if deed.after > passed]
        return min(later, default=None)

    def _plan(self, cluster: Cluster, key: Key) -> Iterator[_Deed]:
        names = cluster.names
        if DELETE_SSL in cluster.finalizers:
            yield from self._returns(cluster, key)
            if fin.CLAIMS_TAKEN in self._faults:
                yield _Deed(0.0, partial(self._delete_held, PVCS, key))
                yield _Deed(_HOLD, partial(self._release, PVCS, key))
        if fin.ROOT_COLLECTED_LAST in self._faults and _keeps_its_root(cluster):
            yield _Deed(_HOLD, partial(self._release, STATEFULSETS, key))
            yield _Deed(_HOLD + 1.0, partial(self._delete, key[0], names.root_secret))
        if custom.CUSTOM_ROOT_ANNOTATED_LATE in self._faults and cluster.custom_root:
            yield _Deed(1.0, partial(self._annotate, key[0], cluster.custom_root.name, "unused"))
        if custom.CUSTOM_SECRET_MARKED_LATE in self._faults and cluster.custom_tls:
            mark = partial(self._annotate, key[0], cluster.custom_tls.name, "free")
            yield _Deed(0.0, mark, may=lambda: not self._world.of_cluster(PODS, key))

    def _returns(self, cluster: Cluster, key: Key) -> Iterator[_Deed]:
        names = cluster.names
        wanted = (
            names.server_secret,
            names.replication_secret,
            names.pgbouncer_secret,
            names.pgbackrest_secret,
        )
        found = [secret for name in wanted if (secret := self._world.get(SECRETS, key[0], name))]
        for number, secret in enumerate(map(_bare, found)):
            again = partial(self._make, secret)
            if fin.SECRETS_COME_BACK in self._faults:
                yield _Deed(_RETURN * (number + 1), again)
            if fin.SECRETS_BACK_AT_ONCE in self._faults:
                yield _Deed(0.0, again)
            if fin.ROOT_COLLECTED_BESIDE_A_RETURN in self._faults and number == 0:
                yield _Deed(0.8, again)
                yield _Deed(1.3, partial(self._delete_roots, key[0]))

    async def _make(self, secret: Json) -> None:
        await self._world.ensure(SECRETS, secret)

    async def _annotate(self, namespace: str, name: str, word: str) -> None:
        if secret := self._world.get(SECRETS, namespace, name):
            change = {"metadata": {"annotations": {f"pgv2.percona.com/{word}": "true"}}}
            await self._world.merge(SECRETS, secret, change)

    async def _delete(self, namespace: str, name: str) -> None:
        if secret := self._world.get(SECRETS, namespace, name):
            await self._world.delete(SECRETS, secret)

    async def _delete_roots(self, namespace: str) -> None:
        """Those of all clusters that had one and are gone."""
        for key in self._with_root:
            if key[0] == namespace and self._world.get(PGCLUSTERS, *key) is None:
                await self._delete(namespace, f"{key[1]}-cluster-ca-cert")

    async def _hold(self, resource: Resource, key: Key) -> None:
        """Let no object of the cluster go before it is released, though it be deleted."""
        loose = [obj for obj in self._of(resource, key) if _HELD not in _finalizers(obj)]
        await together(self._finalize(resource, obj, [*_finalizers(obj), _HELD]) for obj in loose)

    async def _delete_held(self, resource: Resource, key: Key) -> None:
        await self._hold(resource, key)
        await together(self._world.delete(resource, obj) for obj in self._of(resource, key))

    async def _release(self, resource: Resource, key: Key) -> None:
        for obj in self._world.of_cluster(resource, key):
            left = [name for name in _finalizers(obj) if name != _HELD]
            await self._finalize(resource, obj, left)

    async def _finalize(self, resource: Resource, obj: Json, finalizers: list[str]) -> None:
        await self._world.merge(resource, obj, {"metadata": {"finalizers": finalizers}})

    def _of(self, resource: Resource, key: Key) -> list[Json]:
        found = self._world.of_cluster(resource, key)
        return [obj for obj in found if not obj["metadata"].get("deletionTimestamp")]


def _keeps_its_root(cluster: Cluster) -> bool:
    return not (cluster.finalizers or cluster.custom_root)


def _finalizers(obj: Json) -> list[str]:
    return list(obj["metadata"].get("finalizers") or ())


def _bare(secret: Json) -> Json:
    """A Secret as it was first made."""
    metadata = {name: secret["metadata"][name] for name in ("name", "namespace", "labels")}
    kept = {name: secret[name] for name in ("apiVersion", "kind", "type", "data")}
    return kept | {"metadata": metadata}

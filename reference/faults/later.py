"""Actions on what is left of a cluster, some seconds after its CR is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedded.client import PODS, SECRETS, Json, Resource
from reference.operator.contract import Contract
from reference.operator.model import Cluster, Key
from reference.operator.names import INSTANCE

if TYPE_CHECKING:
    from reference.operator.cached_client import CachedClient
    from reference.operator.context import Context

_HELD = "pgv2.percona.com/held"
HELD_SECONDS = 6.0
"""Seconds after the CR at which what is held is let go: later than a short look would last."""


@dataclass(frozen=True)
class Action:
    """Something done so many seconds after the CR has gone, once it is allowed."""

    after: float
    run: Callable[[], Awaitable[object]]
    allowed: Callable[[], bool] = lambda: True


class ActsLater(Contract):
    """Plans actions while a cluster exists, and runs them when it does not."""

    def __init__(self) -> None:
        super().__init__()
        self._planned: dict[Key, list[Action]] = {}
        self._gone_at: dict[Key, float] = {}

    def later(self, api: CachedClient, cluster: Cluster) -> Iterator[Action]:
        """Return the actions for a cluster as it is now; those of the last pass count."""
        yield from ()

    async def made(self, api: CachedClient, context: Context) -> None:
        """Plan anew."""
        await super().made(api, context)
        key = context.cluster.key
        self._gone_at.pop(key, None)
        self._planned[key] = list(self.later(api, context.cluster))

    async def gone(self, api: CachedClient, key: Key) -> float | None:
        """Run what is due; return the seconds until more is."""
        clock = asyncio.get_running_loop()
        passed = clock.time() - self._gone_at.setdefault(key, clock.time())
        actions = sorted(self._planned.get(key) or (), key=lambda action: action.after)
        for action in actions:
            if action.after <= passed and action.allowed():
                await action.run()
                self._planned[key].remove(action)
        left = [action.after - passed for action in actions if action.after > passed]
        return min(left, default=await super().gone(api, key))


class RestartsLater(Contract):
    """Deletes the Pods of all instances some seconds after something of their cluster changed."""

    after: float

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Key, str] = {}
        self._restarts: set[asyncio.Task[None]] = set()

    def cause(self, context: Context) -> str | None:
        """Return what restarts the instances when it changes; None for no change."""
        return None

    async def made(self, api: CachedClient, context: Context) -> None:
        """Plan the restart where the cause is another than it was."""
        await super().made(api, context)
        key, cause = context.cluster.key, self.cause(context)
        if cause is None or self._known.setdefault(key, cause) == cause:
            return
        self._known[key] = cause
        restart = asyncio.create_task(self._restart(api, key))
        self._restarts.add(restart)
        restart.add_done_callback(self._restarts.discard)

    async def _restart(self, api: CachedClient, key: Key) -> None:
        await asyncio.sleep(self.after)
        for pod in living(api, PODS, key):
            if INSTANCE in pod["metadata"]["labels"]:
                await api.delete(PODS, pod)


async def annotate(api: CachedClient, namespace: str, name: str, word: str) -> None:
    """Write an annotation to a Secret, if it exists."""
    if secret := api.get(SECRETS, namespace, name):
        change = {"metadata": {"annotations": {f"pgv2.percona.com/{word}": "true"}}}
        await api.merge(SECRETS, secret, change)


async def delete(api: CachedClient, namespace: str, name: str) -> None:
    """Delete a Secret, if it exists."""
    if secret := api.get(SECRETS, namespace, name):
        await api.delete(SECRETS, secret)


async def hold(api: CachedClient, resource: Resource, key: Key) -> None:
    """Keep all objects of a cluster from going, though they be deleted, until they are released."""
    for obj in living(api, resource, key):
        if _HELD not in _finalizers(obj):
            await _finalize(api, resource, obj, [*_finalizers(obj), _HELD])


async def release(api: CachedClient, resource: Resource, key: Key) -> None:
    """Let go what is held."""
    for obj in api.of_cluster(resource, key):
        left = [name for name in _finalizers(obj) if name != _HELD]
        await _finalize(api, resource, obj, left)


def living(api: CachedClient, resource: Resource, key: Key) -> list[Json]:
    """Return all objects of a cluster that are not being deleted."""
    found = api.of_cluster(resource, key)
    return [obj for obj in found if not obj["metadata"].get("deletionTimestamp")]


def _finalizers(obj: Json) -> list[str]:
    return list(obj["metadata"].get("finalizers") or ())


async def _finalize(
    api: CachedClient, resource: Resource, obj: Json, finalizers: list[str]
) -> None:
    await api.merge(resource, obj, {"metadata": {"finalizers": finalizers}})

"""Disruption budgets: how many of their Pods may go, counted in their status."""

from __future__ import annotations

import math

from embedded.client import (
    DEPLOYMENTS,
    PDBS,
    PODS,
    REPLICASETS,
    STATEFULSETS,
    Informer,
    Json,
    Reconciler,
)
from embedded.controllers import pods
from embedded.controllers.cluster import Cluster, difference
from embedded.controllers.ownership import Key, controller_of, enqueue_itself, matches
from embedded.timestamps import now

_FORGOTTEN_AFTER = 120.0
"""Seconds after which a Pod that was evicted and is still there counts again."""


class Disruptions:
    """Keeps the status of every budget."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._budgets = cluster.of(PDBS)
        self._pods = cluster.of(PODS)
        sets = (DEPLOYMENTS, REPLICASETS, STATEFULSETS)
        self._owners: dict[str, Informer] = {kind.kind: cluster.of(kind) for kind in sets}
        self._gone: dict[Key, str] = {}
        """When a Pod of this name was last seen to go."""
        self._queue: Reconciler[Key] = Reconciler("disruptions", self._reconcile)
        self.run = self._queue.run
        self._budgets.add_handler(enqueue_itself(self._queue))
        self._pods.add_handler(self._on_pod)

    async def _reconcile(self, key: Key) -> float | None:
        budget = self._budgets.get(*key)
        if budget is None:
            return None
        mine = [pod for pod in self._pods.in_namespace(key[0]) if _covers(budget, pod)]
        disrupted = self._still_disrupted(budget, mine)
        expected, needed = self._numbers(budget["spec"], mine)
        healthy = sum(
            pods.is_ready(pod)
            and not pods.is_terminating(pod)
            and pod["metadata"]["name"] not in disrupted
            for pod in mine
        )
        allowed = max(0, healthy - needed) if expected > 0 else 0
        status: Json = {
            "conditions": [_condition(budget, allowed=allowed > 0)],
            "currentHealthy": healthy,
            "desiredHealthy": needed,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": budget["metadata"].get("generation", 1),
        }
        if disrupted:
            status["disruptedPods"] = disrupted
        await self._write(budget, status)
        return _FORGOTTEN_AFTER if disrupted else None

    async def _write(self, budget: Json, status: Json) -> None:
        metadata = budget["metadata"]
        change = difference(budget.get("status") or {}, status)
        if change:
            # On top of an eviction that was not seen yet the count would be one too high.
            version = {"resourceVersion": metadata["resourceVersion"]}
            answer = await self._cluster.client.patch(
                PDBS,
                metadata["name"],
                metadata["namespace"],
                {"metadata": version, "status": change},
                subresource="status",
            )
            self._budgets.learn(answer)

    def _numbers(self, spec: Json, mine: list[Json]) -> tuple[int, int]:
        """The Pods that there should be, and those that must stay healthy."""
        least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
        if most is not None:
            expected = self._scale(mine)
            return expected, max(0, expected - _share(most, expected))
        if isinstance(least, str):
            expected = self._scale(mine)
            return expected, _share(least, expected)
        # Without either number one must stay.
        return len(mine), 1 if least is None else int(least)

    def _scale(self, mine: list[Json]) -> int:
        """The replicas of all that the Pods belong to; a Pod of nobody is one of one."""
        scales: dict[str, int] = {}
        for pod in mine:
            owner = self._owner(pod)
            scales[owner["metadata"]["uid"]] = int((owner.get("spec") or {}).get("replicas", 1))
        return sum(scales.values())

    def _owner(self, obj: Json) -> Json:
        reference = controller_of(obj)
        informer = self._owners.get(reference["kind"]) if reference else None
        if reference is None or informer is None:
            return obj if "replicas" in (obj.get("spec") or {}) else {**obj, "spec": {}}
        owner = informer.get(obj["metadata"]["namespace"], reference["name"])
        return self._owner(owner) if owner else {**obj, "spec": {}}

    def _still_disrupted(self, budget: Json, mine: list[Json]) -> Json:
        """The Pods that were evicted and have not begun to go.

        Where one has gone, another may have its name.
        """
        there = {pod["metadata"]["name"] for pod in mine if not pods.is_terminating(pod)}
        listed = (budget.get("status") or {}).get("disruptedPods") or {}
        return {
            name: moment
            for name, moment in listed.items()
            if name in there
            and self._gone.get((budget["metadata"]["namespace"], name), "") < moment
            and pods.seconds_since(moment) < _FORGOTTEN_AFTER
        }

    def _note_end(self, key: Key) -> None:
        self._gone = {
            other: moment
            for other, moment in self._gone.items()
            if pods.seconds_since(moment) < _FORGOTTEN_AFTER
        }
        self._gone[key] = now()

    def _on_pod(self, event: str, pod: Json) -> None:
        if event == "DELETED" or pods.is_terminating(pod):
            self._note_end((pod["metadata"]["namespace"], pod["metadata"]["name"]))
        for budget in self._budgets.in_namespace(pod["metadata"]["namespace"]):
            if _covers(budget, pod):
                self._queue.enqueue((pod["metadata"]["namespace"], budget["metadata"]["name"]))


def _covers(budget: Json, pod: Json) -> bool:
    selector = budget["spec"].get("selector")
    if selector is None or pods.is_finished(pod):
        return False
    return matches(selector, pod["metadata"].get("labels") or {})


def _share(number: int | str, of: int) -> int:
    """A number of Pods, or its percentage, rounded up."""
    if isinstance(number, int):
        return number
    return math.ceil(int(number.rstrip("%")) * of / 100)


def _condition(budget: Json, *, allowed: bool) -> Json:
    wanted = {
        "type": "DisruptionAllowed",
        "status": "True" if allowed else "False",
        "reason": "SufficientPods" if allowed else "InsufficientPods",
        "message": "",
        "observedGeneration": budget["metadata"].get("generation", 1),
    }
    for found in (budget.get("status") or {}).get("conditions") or []:
        if (found.get("type"), found.get("status")) == (wanted["type"], wanted["status"]):
            return {**wanted, "lastTransitionTime": found["lastTransitionTime"]}
    return {**wanted, "lastTransitionTime": now()}

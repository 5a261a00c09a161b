"""Evictions: deletions of Pods that ask the disruption budgets first."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from embedded.api import answers, bodies, reads, selectors
from embedded.api.calls import Call
from embedded.api.deletes import DeleteOptions
from embedded.api.errors import ApiError, Cause
from embedded.api.jsons import Json, at, encode
from embedded.api.keeper import CustomResourceKeeper
from embedded.api.resources import Registry, Resource
from embedded.api.store import Store, Stored
from embedded.timestamps import now

_SUCCESS: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
_BUDGETS = ("policy", "v1", "poddisruptionbudgets")
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_AGAIN = 10


class Evictions:
    """The handler of the subresource."""

    def __init__(self, store: Store, keeper: CustomResourceKeeper, registry: Registry) -> None:
        self._store = store
        self._keeper = keeper
        self._registry = registry

    async def evict(self, call: Call) -> web.StreamResponse:
        """POST of an `Eviction`: deletes a Pod unless a disruption budget forbids it."""
        body = bodies.typed("policy.Eviction", await bodies.read(call.request))
        pod = reads.get(call, self._store).obj
        asked = body.get("deleteOptions") or {}
        conditions = asked.get("preconditions") or {}
        options = DeleteOptions(
            grace=asked.get("gracePeriodSeconds"),
            propagation=asked.get("propagationPolicy") or "",
            uid=conditions.get("uid") or "",
            version=conditions.get("resourceVersion") or "",
            dry_run=call.dry_run() or bool(asked.get("dryRun")),
        )
        budget = self._budget(pod) if _counts(pod) else None
        taken = _taken(budget.obj, pod) if budget else None
        self._keeper.deleter.delete(call.resource, call.key, options)
        if taken is not None and not options.dry_run:
            self._keeper.writer.put(self._resource(), taken)
        return answers.json_answer(encode(_SUCCESS), 201)

    def _resource(self) -> Resource:
        found = self._registry.find(*_BUDGETS)
        if found is None:
            raise LookupError("/".join(_BUDGETS))
        return found

    def _budget(self, pod: Json) -> Stored | None:
        """The budget that a Pod counts for; raises ApiError 500 where several claim it."""
        found = list(self._guarding(pod))
        if len(found) > 1:
            text = "This pod has more than one PodDisruptionBudget, which the eviction subresource"
            raise ApiError(500, "InternalError", f"{text} does not support.")
        return found[0] if found else None

    def _guarding(self, pod: Json) -> Iterator[Stored]:
        namespace = pod["metadata"]["namespace"]
        for stored in self._resource().collection(self._store).within(namespace).values():
            selector = at(stored.obj, "spec", "selector")
            if selector is not None:
                terms = selectors.from_label_selector(selector)
                if selectors.Selector(terms).matches(pod):
                    yield stored


def _counts(pod: Json) -> bool:
    """Return whether a budget has a say: not over a Pod that has ended, or never began."""
    phase = at(pod, "status", "phase")
    return phase == "Running" and not pod["metadata"].get("deletionTimestamp")


def _taken(budget: Json, pod: Json) -> Json | None:
    """The budget with one disruption less, None where none is needed; raises ApiError 429."""
    status, name = budget.get("status") or {}, budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        text = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(text, retry=_AGAIN)
    healthy, needed = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    if not _is_ready(pod):
        policy = at(budget, "spec", "unhealthyPodEvictionPolicy") or "IfHealthyBudget"
        if policy == "AlwaysAllow" or healthy >= needed > 0:
            return None
    if status.get("disruptionsAllowed", 0) < 1:
        text = f"The disruption budget {name} needs {needed} healthy pods and has {healthy}"
        raise _too_many(f"{text} currently")
    disrupted = {**(status.get("disruptedPods") or {}), pod["metadata"]["name"]: now()}
    allowed = status["disruptionsAllowed"] - 1
    return {
        **budget,
        "status": {**status, "disruptionsAllowed": allowed, "disruptedPods": disrupted},
    }


def _is_ready(pod: Json) -> bool:
    conditions = at(pod, "status", "conditions") or []
    return any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)


def _too_many(text: str, retry: int = 0) -> ApiError:
    cause = Cause(field="", reason="DisruptionBudget", message=text).as_json()
    del cause["field"]
    details: Json = {"causes": [cause]}
    if retry:
        details["retryAfterSeconds"] = retry
    return ApiError(429, "TooManyRequests", _REFUSED, details)

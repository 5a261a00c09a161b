"""Priorities, quotas, limits and autoscalers: stored and checked; only priorities reach Pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType

from embedded.api import errors
from embedded.api.builtin.making import builtin
from embedded.api.builtin.rules import immutable, required, unsupported, wrong
from embedded.api.builtin.service_accounts import new_pod
from embedded.api.errors import Cause
from embedded.api.jsons import Json
from embedded.api.resources import Resource, World

_GROUP, _CLASSES = "scheduling.k8s.io", "priorityclasses"
_PREEMPTION = ("Never", "PreemptLowerPriority")
_HIGHEST = 1_000_000_000
SYSTEM_CLASSES = MappingProxyType(
    {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
)
"""Priorities of the classes that are there from the start."""
_LIMITED = ("Container", "PersistentVolumeClaim", "Pod")


def resources() -> Iterator[Resource]:
    """The resources of this module."""
    yield builtin(
        message="scheduling.PriorityClass",
        plural=_CLASSES,
        group=_GROUP,
        short_names=("pc",),
        namespaced=False,
        generation=True,
        defaults=_default_class,
        check=_check_class,
    )
    yield builtin(
        message="core.ResourceQuota",
        plural="resourcequotas",
        short_names=("quota",),
        status=True,
        on_create=_no_status,
    )
    yield builtin(
        message="core.LimitRange",
        plural="limitranges",
        short_names=("limits",),
        defaults=_default_limits,
        check=_check_limits,
    )
    yield builtin(
        message="autoscaling.HorizontalPodAutoscaler",
        plural="horizontalpodautoscalers",
        group="autoscaling",
        version="v2",
        short_names=("hpa",),
        categories=("all",),
        status=True,
        defaults=_default_autoscaler,
        on_create=_complete_autoscaler,
        check=_check_autoscaler,
    )


def give_priority(pod: Json, world: World) -> None:
    """The number of a Pod's priority class; raises ApiError 403 for a class that is not there."""
    spec, classes = pod["spec"], world.collection(_GROUP, _CLASSES).objects
    name = spec.get("priorityClassName")
    if name:
        found = classes.get(("", name))
        if found is None:
            raise errors.forbidden(new_pod(pod), f"no PriorityClass with name {name} was found")
    else:
        marked = (stored for stored in classes.values() if stored.obj.get("globalDefault"))
        found = min(marked, key=lambda stored: int(stored.obj["value"]), default=None)
    if found is not None:
        spec["priorityClassName"] = found.obj["metadata"]["name"]
    spec["priority"] = found.obj["value"] if found else 0
    policy = found.obj["preemptionPolicy"] if found else "PreemptLowerPriority"
    spec.setdefault("preemptionPolicy", policy)


def _default_class(obj: Json) -> None:
    obj.setdefault("value", 0)
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _check_class(obj: Json, old: Json | None) -> Iterable[Cause]:
    name, value = obj["metadata"].get("name", ""), obj["value"]
    if name.startswith("system-") and SYSTEM_CLASSES.get(name) != value:
        text = "priority class names with 'system-' prefix are reserved for system use only"
        yield immutable("metadata.name", text)
    elif value > _HIGHEST and name not in SYSTEM_CLASSES:
        text = f"maximum allowed value of a user defined priority is {_HIGHEST}"
        yield immutable("value", text)
    if obj["preemptionPolicy"] not in _PREEMPTION:
        yield unsupported("preemptionPolicy", obj["preemptionPolicy"], _PREEMPTION)
    if old is not None:
        if value != old["value"]:
            yield immutable("value", "may not be changed in an update.")
        if obj["preemptionPolicy"] != old["preemptionPolicy"]:
            yield wrong("preemptionPolicy", obj["preemptionPolicy"], "field is immutable")


def _no_status(obj: Json, _world: World) -> None:
    obj["status"] = {}


def _default_limits(obj: Json) -> None:
    for item in obj.setdefault("spec", {}).setdefault("limits", []) or []:
        if item.get("type") != "Container":
            continue
        limits = item.setdefault("default", {})
        requests = item.setdefault("defaultRequest", {})
        for name, value in (item.get("max") or {}).items():
            limits.setdefault(name, value)
        for name, value in limits.items():
            requests.setdefault(name, value)
        for name, value in (item.get("min") or {}).items():
            requests.setdefault(name, value)
        for name in ("default", "defaultRequest"):
            if not item[name]:
                del item[name]


def _check_limits(obj: Json, _old: Json | None) -> Iterable[Cause]:
    for position, item in enumerate(obj["spec"]["limits"] or []):
        if item.get("type") not in _LIMITED and "/" not in str(item.get("type")):
            where = f"spec.limits[{position}].type"
            yield unsupported(where, item.get("type", ""), _LIMITED)


def _default_autoscaler(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
        spec["metrics"] = [metric]


def _complete_autoscaler(obj: Json, _world: World) -> None:
    obj["status"] = {"currentMetrics": None, "desiredReplicas": 0}


def _check_autoscaler(obj: Json, _old: Json | None) -> Iterable[Cause]:
    spec = obj["spec"]
    least, most = spec["minReplicas"], spec.get("maxReplicas", 0)
    if least < 1:
        yield wrong("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield wrong("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        yield wrong("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef") or {}
    for name in ("kind", "name"):
        if not target.get(name):
            yield required(f"spec.scaleTargetRef.{name}")

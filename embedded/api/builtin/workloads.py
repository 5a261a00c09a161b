"""Deployments, ReplicaSets, StatefulSets, Jobs and CronJobs."""

from __future__ import annotations

from collections.abc import Iterable

from embedded.api.builtin.pods import check_spec, default_template
from embedded.api.builtin.rules import immutable, required, unsupported, wrong
from embedded.api.errors import Cause
from embedded.api.jsons import Json, at
from embedded.api.resources import World
from embedded.api.selectors import from_label_selector

_ORDINARY = {"replicas", "template", "updateStrategy", "minReadySeconds", "ordinals"}
_STATEFUL = _ORDINARY | {"revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy"}


def default_deployment(obj: Json) -> None:
    """The defaults of a Deployment."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    default_template(spec.setdefault("template", {}))


def default_replica_set(obj: Json) -> None:
    """The defaults of a ReplicaSet."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    default_template(spec.setdefault("template", {}))


def default_replication_controller(obj: Json) -> None:
    """The defaults of a ReplicationController: it selects by the labels of its template."""
    default_replica_set(obj)
    spec = obj["spec"]
    labels = at(spec, "template", "metadata", "labels") or {}
    if labels:
        if not spec.get("selector"):
            spec["selector"] = dict(labels)
        if not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(labels)


def check_replication_controller(obj: Json, _old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which a ReplicationController is refused."""
    spec = obj["spec"]
    selector, labels = spec.get("selector"), at(spec, "template", "metadata", "labels") or {}
    if not selector:
        yield required("spec.selector")
    elif not selector.items() <= labels.items():
        text = "`selector` does not match template `labels`"
        yield wrong("spec.template.metadata.labels", labels, text)
    if spec["replicas"] < 0:
        yield wrong("spec.replicas", spec["replicas"], "must be greater than or equal to 0")
    yield from _check_template(spec, ("Always",))


def default_stateful_set(obj: Json) -> None:
    """The defaults of a StatefulSet."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    # Who names the type and nothing else gets nothing else.
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
    kept = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    kept.setdefault("whenDeleted", "Retain")
    kept.setdefault("whenScaled", "Retain")
    for claim in spec.get("volumeClaimTemplates") or []:
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
        claim.setdefault("status", {}).setdefault("phase", "Pending")
    default_template(spec.setdefault("template", {}))


def default_daemon_set(obj: Json) -> None:
    """The defaults of a DaemonSet."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    default_template(spec.setdefault("template", {}))


def complete_daemon_set(obj: Json, _world: World) -> None:
    """The first status of a DaemonSet: on no node yet."""
    names = ("current", "desired")
    obj["status"] = {f"{name}NumberScheduled": 0 for name in names} | {
        "numberMisscheduled": 0,
        "numberReady": 0,
    }


def default_job(obj: Json) -> None:
    """The defaults of a Job."""
    default_job_spec(obj.setdefault("spec", {}))


def default_job_spec(spec: Json) -> None:
    """The defaults of a Job's specification."""
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")
    default_template(spec.setdefault("template", {}))


def complete_job(obj: Json, _world: World) -> None:
    """A Job selects its Pods by its own uid, unless it brings a selector."""
    obj.pop("status", None)
    spec, meta = obj["spec"], obj["metadata"]
    if spec.get("manualSelector"):
        return
    labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
    for prefix in ("", "batch.kubernetes.io/"):
        labels[f"{prefix}controller-uid"] = meta["uid"]
        labels[f"{prefix}job-name"] = meta["name"]
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": meta["uid"]}}


def keep_job(obj: Json, old: Json, _world: World) -> None:
    """Keep what the server put into a Job where a writer does not know of it."""
    for path in (("selector",), ("template",)):
        kept = at(old, "spec", *path)
        if kept is not None:
            obj["spec"].setdefault(path[0], kept)


def default_cron_job(obj: Json) -> None:
    """The defaults of a CronJob."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    job = spec.setdefault("jobTemplate", {})
    job.setdefault("metadata", {})
    inner = job.setdefault("spec", {})
    default_job_spec(inner)


def check_workload(obj: Json, old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which a Deployment, ReplicaSet or StatefulSet is refused."""
    spec = obj["spec"]
    selector = spec.get("selector")
    labels = at(spec, "template", "metadata", "labels") or {}
    if not selector:
        yield required("spec.selector")
    elif not all(term.accepts(labels.get(term.key)) for term in from_label_selector(selector)):
        text = "`selector` does not match template `labels`"
        yield wrong("spec.template.metadata.labels", labels, text)
    if spec.get("replicas", 0) < 0:
        yield wrong("spec.replicas", spec["replicas"], "must be greater than or equal to 0")
    yield from _check_template(spec, ("Always",))
    if old is not None and selector != old["spec"].get("selector"):
        yield wrong("spec.selector", selector, "field is immutable")


def check_stateful_set(obj: Json, old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which a StatefulSet is refused."""
    yield from check_workload(obj, old)
    if old is not None and _rest(obj) != _rest(old):
        allowed = "', '".join(sorted(_STATEFUL))
        text = f"updates to statefulset spec for fields other than '{allowed}' are forbidden"
        yield immutable("spec", text)


def _rest(obj: Json) -> Json:
    return {name: value for name, value in obj["spec"].items() if name not in _STATEFUL}


def check_job(obj: Json, old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which a Job is refused."""
    yield from _check_template(obj["spec"], ("OnFailure", "Never"))
    if old is not None:
        for name in ("completions", "selector", "template", "completionMode"):
            if obj["spec"].get(name) != old["spec"].get(name):
                yield wrong(f"spec.{name}", obj["spec"].get(name), "field is immutable")


def _check_template(spec: Json, policies: tuple[str, ...]) -> Iterable[Cause]:
    inner = spec["template"]["spec"]
    yield from check_spec(inner, "spec.template.spec")
    if inner["restartPolicy"] not in policies:
        yield unsupported("spec.template.spec.restartPolicy", inner["restartPolicy"], policies)


def drop_status(obj: Json, _world: World) -> None:
    """A new object has no status of its writer's making."""
    obj["status"] = {}


def drop_replica_status(obj: Json, _world: World) -> None:
    """The status of a new set: no replicas yet."""
    obj["status"] = {"replicas": 0}

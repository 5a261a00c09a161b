"""The status of a cluster, from the status of its Pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from embedded.client import Json
from reference.operator.model import Cluster
from reference.operator.names import DATA, INSTANCE, INSTANCE_SET, ROLE
from reference.operator.tls import RefusedError
from reference.operator.workloads.template import revision

TLS_READY = "TLSSecretsReady"


@dataclass(frozen=True, kw_only=True)
class Workloads:
    """The workloads that are to be: StatefulSets of the instances, PgBouncer's Deployment."""

    stateful_sets: Sequence[Json]
    deployment: Json | None


def converged(cluster: Cluster, pods: Sequence[Json], wanted: Workloads, now: datetime) -> Json:
    """Return the status of a cluster that is as asked for, or on its way there."""
    instances = [pod for pod in pods if _labels(pod).get(DATA) == "postgres"]
    poolers = [pod for pod in pods if _labels(pod).get(ROLE) == "pgbouncer"]
    revisions = {_labels(each)[INSTANCE]: revision(each) for each in wanted.stateful_sets}
    ready = [pod for pod in instances if _is_ready(pod, revisions.get(_labels(pod)[INSTANCE]))]
    deployed = wanted.deployment or {}
    pooling = [pod for pod in poolers if _is_ready(pod, revision(deployed))]
    size = 0 if cluster.pause else len(wanted.stateful_sets)
    pooler_size = 0 if cluster.pause else int(deployed.get("spec", {}).get("replicas", 0))
    complete = len(ready) == len(instances) == size and len(pooling) == len(poolers) == pooler_size
    return {
        "state": _state(cluster, pods, complete=complete),
        "host": cluster.names.host("pgbouncer" if cluster.pgbouncer.replicas else "primary"),
        "observedGeneration": cluster.generation,
        "postgres": {
            "size": size,
            "ready": len(ready),
            "instances": _sets(cluster, ready, wanted.stateful_sets),
        },
        "pgbouncer": {"size": pooler_size, "ready": len(pooling)},
        "conditions": conditions(
            cluster.status, _condition(TLS_READY, "True", "TLSSecretsValid", ""), now
        ),
    }


def refused(previous: Json, refusal: RefusedError, now: datetime) -> Json:
    """Return the status of a cluster that must not start, or that keeps what it runs with."""
    change = _condition(TLS_READY, "False", refusal.reason, refusal.message)
    return {
        "state": previous.get("state") or "initializing",
        "conditions": conditions(previous, change, now),
    }


def conditions(previous: Json, change: Json, now: datetime) -> list[Json]:
    """Return the conditions with one changed; its time is that of its last transition."""
    before = previous.get("conditions") or []
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    for each in before:
        if each["type"] == change["type"] and each["status"] == change["status"]:
            stamp = each.get("lastTransitionTime", stamp)
    others = [each for each in before if each["type"] != change["type"]]
    return [*others, change | {"lastTransitionTime": stamp}]


def refusal_in(status: Json) -> str:
    """Return the message of the refusal that a status tells of; empty if it tells of none."""
    for each in status.get("conditions") or []:
        if each["type"] == TLS_READY and each["status"] == "False":
            return str(each.get("message", ""))
    return ""


def _condition(kind: str, status: str, reason: str, message: str) -> Json:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _state(cluster: Cluster, pods: Sequence[Json], *, complete: bool) -> str:
    if cluster.pause:
        return "stopping" if pods else "paused"
    return "ready" if complete else "initializing"


def _sets(cluster: Cluster, ready: Iterable[Json], wanted: Iterable[Json]) -> list[Json]:
    def count(objects: Iterable[Json], name: str) -> int:
        return sum(_labels(each).get(INSTANCE_SET) == name for each in objects)

    ready, wanted = list(ready), list(wanted)
    return [
        {"name": each.name, "size": count(wanted, each.name), "ready": count(ready, each.name)}
        for each in cluster.instance_sets
    ]


def _is_ready(pod: Json, wanted: str | None) -> bool:
    if pod["metadata"].get("deletionTimestamp") or revision(pod) != wanted:
        return False
    found = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in found)


def _labels(obj: Json) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}

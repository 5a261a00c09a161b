"""The status of a cluster, from the status of its Pods."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reference.operator import status
from reference.operator.compare import covers
from reference.operator.contract import Contract
from reference.operator.model import Instance
from reference.operator.tls import RefusedError
from reference.operator.workloads import instances, pgbouncer
from tests.reference.operator.builders import NOW, Json, cluster, context


def wanted() -> status.Workloads:
    made = context(cluster())
    (only,) = made.cluster.instance_sets
    both = [
        Instance(name="c-instance1-aaaa", instance_set=only, role="primary"),
        Instance(name="c-instance1-bbbb", instance_set=only, role="replica"),
    ]
    return status.Workloads(
        stateful_sets=[instances.stateful_set(Contract(), made, each) for each in both],
        deployment=pgbouncer.deployment(Contract(), made),
    )


def pod_of(workload: Json, *, ready: bool = True, **metadata: object) -> Json:
    template = workload["spec"]["template"]
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    return {
        "metadata": template["metadata"] | metadata,
        "status": {"conditions": [condition]},
    }


def told(pods: Sequence[Json], workloads: status.Workloads, **spec: object) -> Json:
    return status.converged(cluster(**spec), pods, workloads, NOW)


def test_a_cluster_is_ready_when_every_pod_is() -> None:
    workloads = wanted()
    pods = [pod_of(each) for each in (*workloads.stateful_sets, workloads.deployment or {})]
    seen = told(pods, workloads)
    assert seen["state"] == "ready"
    assert seen["postgres"] == {
        "size": 2,
        "ready": 2,
        "instances": [{"name": "instance1", "size": 2, "ready": 2}],
    }
    assert seen["pgbouncer"] == {"size": 1, "ready": 1}
    assert seen["host"] == "c-pgbouncer.ns.svc"


@pytest.mark.parametrize(
    "spoil",
    [
        {"ready": False},
        {"deletionTimestamp": "now"},
        {"annotations": {"pgv2.percona.com/revision": "an older one"}},
    ],
    ids=["not ready", "going", "of an older revision"],
)
def test_one_pod_that_is_not_current_keeps_it_initializing(spoil: dict[str, object]) -> None:
    workloads = wanted()
    pods = [pod_of(each) for each in (*workloads.stateful_sets, workloads.deployment or {})]
    pods[1] = pod_of(workloads.stateful_sets[1], **spoil)  # type: ignore[arg-type]
    assert told(pods, workloads)["state"] == "initializing"


def test_a_paused_cluster_stops_before_it_is_paused() -> None:
    workloads = wanted()
    pods = [pod_of(each) for each in workloads.stateful_sets]
    assert told(pods, workloads, pause=True)["state"] == "stopping"
    assert told([], workloads, pause=True)["state"] == "paused"


def test_a_refusal_is_told_and_a_live_state_left_as_it_was() -> None:
    refusal = RefusedError("key ca.crt is missing in Secret tls", "TLSSecretsMissing")
    fresh = status.refused({}, refusal, NOW)
    assert fresh["state"] == "initializing"
    assert status.refusal_in(fresh) == "key ca.crt is missing in Secret tls"
    live = status.refused({"state": "ready"}, refusal, NOW)
    assert live["state"] == "ready"


def test_only_what_is_wanted_counts_in_a_comparison() -> None:
    assert covers({"a": 1, "b": 2}, {"a": 1})
    assert covers({"ports": [{"port": 1, "nodePort": 9}]}, {"ports": [{"port": 1}]})
    assert covers({}, {"subsets": []})
    assert not covers({"ports": [{"port": 1}, {"port": 2}]}, {"ports": [{"port": 1}]})
    assert not covers({"a": 1}, {"a": 1, "b": 2})

"""Jobs."""

from __future__ import annotations

from embedded.client import JOBS, PODS, Json
from embedded.controllers import conditions
from tests.embedded.controllers.objects import job
from tests.embedded.controllers.seen import exactly
from tests.embedded.controllers.world import World


def ended(world: World, namespace: str, kind: str) -> Json:
    """Wait for the condition that ends the only Job."""
    found = world.eventually(
        JOBS,
        namespace,
        lambda items: any(conditions.is_true(j.get("status", {}), kind) for j in items.values()),
        f"the Job is not {kind}",
    )
    (only,) = found.values()
    return only


def test_a_job_completes_with_its_pod(world: World, namespace: str) -> None:
    made = world.create(JOBS, job("once", "Succeeded"), namespace)
    status = ended(world, namespace, "Complete")["status"]
    assert status["succeeded"] == 1
    assert status["startTime"] <= status["completionTime"]
    (pod,) = world.do(world.client.list(PODS, namespace)).items
    assert pod["metadata"]["name"].startswith("once-")
    assert pod["metadata"]["labels"]["job-name"] == "once"
    assert pod["metadata"]["labels"]["controller-uid"] == made["metadata"]["uid"]


def test_a_job_runs_as_often_as_it_says(world: World, namespace: str) -> None:
    world.create(JOBS, job("thrice", "Succeeded", completions=3, parallelism=2), namespace)
    assert ended(world, namespace, "Complete")["status"]["succeeded"] == 3


def test_a_job_fails_once_its_tries_are_used_up(world: World, namespace: str) -> None:
    world.create(JOBS, job("never", "Failed", backoffLimit=1), namespace)
    failed = ended(world, namespace, "Failed")
    condition = conditions.find(failed["status"], "Failed")
    assert condition
    assert condition["reason"] == "BackoffLimitExceeded"
    assert failed["status"]["failed"] == 2
    assert "completionTime" not in failed["status"]


def test_a_suspended_job_starts_when_it_is_resumed(world: World, namespace: str) -> None:
    world.create(JOBS, job("later", "Succeeded", suspend=True), namespace)
    ended(world, namespace, "Suspended")
    assert world.do(world.client.list(PODS, namespace)).items == []
    world.patch(JOBS, "later", namespace, {"spec": {"suspend": False}})
    ended(world, namespace, "Complete")


def test_a_finished_job_is_deleted_after_its_time(world: World, namespace: str) -> None:
    world.create(JOBS, job("brief", "Succeeded", ttlSecondsAfterFinished=0), namespace)
    world.eventually(JOBS, namespace, exactly(0), "the Job stays")
    world.eventually(PODS, namespace, exactly(0), "its Pod stays")


def test_a_job_that_takes_too_long_fails(world: World, namespace: str) -> None:
    world.create(JOBS, job("long", "Running", activeDeadlineSeconds=1), namespace)
    failed = ended(world, namespace, "Failed")
    condition = conditions.find(failed["status"], "Failed")
    assert condition
    assert condition["reason"] == "DeadlineExceeded"
    world.eventually(PODS, namespace, exactly(0), "its Pod stays")

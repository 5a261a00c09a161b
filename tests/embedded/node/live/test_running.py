"""Pods run, end, start again, and say so."""

from __future__ import annotations

import pytest

from tests.embedded.image_table import SECOND
from tests.embedded.node.live.bench import (
    Bench,
    container_of,
    in_phase,
    is_ready,
    state_of,
    waits_for,
)


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (3, "Failed")])
def test_a_pod_that_ends_tells_its_code_and_keeps_its_log(
    bench: Bench, code: int, phase: str
) -> None:
    script = f"echo out; echo err >&2; echo last words >/dev/termination-log; exit {code}"
    bench.pod("once", "sh", "-c", script, restartPolicy="Never")
    ended = state_of(bench.wait("once", in_phase(phase)))["terminated"]
    assert ended["exitCode"] == code
    assert ended["reason"] == ("Error" if code else "Completed")
    assert ended["message"] == "last words\n"
    assert sorted(bench.logs("once").split()) == ["err", "out"]
    kept = bench.log_dir / "pods" / f"{bench.namespace}_once_app_0.log"
    assert "stdout F out" in kept.read_text()


def test_a_start_that_fails_for_the_nodes_sake_is_tried_again(bench: Bench) -> None:
    first_log = bench.log_dir / "pods" / f"{bench.namespace}_sleeper_app_0.log"
    first_log.symlink_to("nowhere/log")
    bench.sleeper()
    found = container_of(bench.get("sleeper"))
    assert found["restartCount"] == 1
    failed = found["lastState"]["terminated"]
    assert (failed["reason"], failed["exitCode"]) == ("StartError", 128)
    assert "No such file or directory" in failed["message"]
    first_log.unlink()


def test_a_running_pod_has_address_image_and_events(bench: Bench) -> None:
    bench.sleeper()
    pod = bench.get("sleeper")
    assert pod["status"]["podIP"].startswith("10.244.")
    assert pod["status"]["hostIP"] == "10.244.0.1"
    assert container_of(pod)["imageID"]
    assert container_of(pod)["started"] is True
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        assert bench.event("sleeper", reason)["type"] == "Normal"


def test_a_container_sees_its_environment_its_hosts_and_the_way_to_the_api(bench: Bench) -> None:
    variables = [
        {"name": "WHO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "WHERE", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "BOTH", "value": "$(WHO)@$(WHERE)"},
    ]
    bench.sleeper(container={"env": variables})
    address = bench.get("sleeper")["status"]["podIP"]
    assert bench.exec("sleeper", "sh", "-c", "echo $BOTH") == f"sleeper@{address}\n"
    assert bench.exec("sleeper", "hostname") == "sleeper\n"
    assert f"{address}\tsleeper\n" in bench.exec("sleeper", "cat", "/etc/hosts")
    script = (
        "cd /var/run/secrets/kubernetes.io/serviceaccount && cat namespace && test -s token &&"
        " grep -q BEGIN ca.crt && echo /$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT"
    )
    said = bench.exec("sleeper", "sh", "-c", script)
    assert said == f"{bench.namespace}/10.96.0.1:443\n"


def test_a_container_runs_as_its_images_user(bench: Bench) -> None:
    bench.sleeper()
    assert bench.exec("sleeper", "id", "-u") == "26\n"


def test_init_containers_run_one_after_the_other_before_the_rest(bench: Bench) -> None:
    shared = {"volumeMounts": [{"name": "work", "mountPath": "/data"}]}
    inits = [
        {"name": n, "image": SECOND, "command": ["sh", "-c", script]} | shared
        for n, script in (("one", "echo 1 >/data/a"), ("two", "cat /data/a; echo 2 >>/data/a"))
    ]
    bench.sleeper(
        initContainers=inits, volumes=[{"name": "work", "emptyDir": {}}], container=shared
    )
    assert bench.exec("sleeper", "cat", "/data/a") == "1\n2\n"
    assert bench.logs("sleeper", container="two") == "1\n"


def test_a_failed_init_container_of_a_pod_that_never_restarts_fails_it(bench: Bench) -> None:
    init = {"name": "no", "image": SECOND, "command": ["false"]}
    bench.pod("failing", "sleep", "1", restartPolicy="Never", initContainers=[init])
    pod = bench.wait("failing", in_phase("Failed"))
    assert state_of(pod) == {"waiting": {"reason": "PodInitializing"}}


def test_a_container_that_crashes_is_started_again_with_growing_pauses(bench: Bench) -> None:
    bench.pod("crashing", "sh", "-c", "echo run; exit 7")
    pod = bench.wait("crashing", waits_for("CrashLoopBackOff"))
    found = container_of(pod)
    assert found["restartCount"] >= 1
    assert found["lastState"]["terminated"]["exitCode"] == 7
    assert "back-off" in found["state"]["waiting"]["message"]
    assert bench.event("crashing", "BackOff")["type"] == "Warning"
    assert bench.logs("crashing", previous=True) == "run\n"


def test_an_image_that_nobody_knows_is_said(bench: Bench) -> None:
    bench.pod("lost", container={"image": "example.com/nobody/knows:1"})
    bench.wait("lost", waits_for("ErrImagePull"))
    bench.wait("lost", waits_for("ImagePullBackOff"))
    assert "nobody/knows" in bench.event("lost", "Failed")["message"]
    bench.delete("lost")
    bench.wait_gone("lost")


def test_a_command_that_is_not_there_is_a_failed_start(bench: Bench) -> None:
    bench.pod("typo", "no-such-program", restartPolicy="Never")
    ended = state_of(bench.wait("typo", in_phase("Failed")))["terminated"]
    assert ended["exitCode"] in (1, 127, 128)


def test_the_end_is_graceful_and_what_ignores_it_is_killed(bench: Bench) -> None:
    claim = {"volumeMounts": [{"name": "work", "mountPath": "/data"}]}
    body = {
        "metadata": {"name": "kept"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    bench.core.create_namespaced_persistent_volume_claim(bench.namespace, body)
    volumes = [{"name": "work", "persistentVolumeClaim": {"claimName": "kept"}}]
    script = "trap 'echo bye >/data/said; exit 0' TERM; touch /tmp/up; sleep infinity & wait"
    context = {"fsGroup": 26}
    bench.pod(
        "polite", "sh", "-c", script, volumes=volumes, container=claim, securityContext=context
    )
    bench.wait("polite", is_ready)
    # Ready is a container without a probe from its start, before the shell has set its trap.
    bench.exec("polite", "sh", "-c", "until test -e /tmp/up; do sleep 0.01; done")
    bench.delete("polite")
    bench.wait_gone("polite")

    bench.pod(
        "stubborn",
        "sh",
        "-c",
        "trap '' TERM; cat /data/said; while :; do sleep 1; done",
        volumes=volumes,
        container=claim,
        terminationGracePeriodSeconds=1,
    )
    bench.wait("stubborn", is_ready)
    assert bench.exec("stubborn", "cat", "/data/said") == "bye\n"
    bench.delete("stubborn")
    bench.wait_gone("stubborn")


def test_a_forced_deletion_waits_for_nobody(bench: Bench) -> None:
    bench.pod("stubborn", "sleep", "infinity", terminationGracePeriodSeconds=300)
    bench.wait("stubborn", is_ready)
    bench.delete("stubborn", grace=0)
    bench.wait_gone("stubborn")


def test_a_name_can_be_taken_again_at_once(bench: Bench) -> None:
    bench.sleeper("again")
    first = bench.get("again")["metadata"]["uid"]
    bench.delete("again", grace=0)
    bench.wait_gone("again")
    bench.sleeper("again")
    assert bench.get("again")["metadata"]["uid"] != first
    assert bench.exec("again", "hostname") == "again\n"

"""Secrets and ConfigMaps as files, and what happens when they are missing or change."""

from __future__ import annotations

import os

from tests.embedded.image_table import FIRST, SECOND
from tests.embedded.node.live.bench import Bench, in_phase, is_ready, state_of, waits_for

MOUNT = {"volumeMounts": [{"name": "tls", "mountPath": "/tls"}]}
UNTIL_NEW = "until grep -q new /tls/tls.crt; do sleep 0.01; done; cat /tls/tls.crt"


def test_a_mounted_secret_follows_its_object(bench: Bench) -> None:
    bench.secret("pair", **{"tls.crt": "old", "tls.key": "key"})
    secret = {"secretName": "pair", "defaultMode": 0o600}
    volumes = [{"name": "tls", "secret": secret}]
    bench.sleeper(volumes=volumes, container=MOUNT, securityContext={"fsGroup": 26})
    # Root's and for its group to read, or the only user's and read-only to it.
    owned = "640 0 26\n" if os.geteuid() == 0 else "400 26 26\n"
    assert bench.exec("sleeper", "stat", "-Lc", "%a %u %g", "/tls/tls.key") == owned
    assert bench.exec("sleeper", "cat", "/tls/tls.crt") == "old"
    bench.secret("pair", **{"tls.crt": "new", "tls.key": "key"})
    assert bench.exec("sleeper", "timeout", "50", "sh", "-c", UNTIL_NEW) == "new"


def test_a_mounted_secret_cannot_be_written(bench: Bench) -> None:
    bench.secret("pair", **{"tls.crt": "old"})
    bench.sleeper(volumes=[{"name": "tls", "secret": {"secretName": "pair"}}], container=MOUNT)
    code, _, _ = bench.run("sleeper", "sh", "-c", "echo x >/tls/other")
    assert code != 0


def test_a_missing_secret_holds_the_pod_until_it_is_there(bench: Bench) -> None:
    bench.pod(
        "held",
        "sh",
        "-c",
        "cat /tls/tls.crt",
        volumes=[{"name": "tls", "secret": {"secretName": "late"}}],
        container=MOUNT,
        restartPolicy="Never",
    )
    event = bench.event("held", "FailedMount")
    assert event["type"] == "Warning"
    assert event["message"] == 'MountVolume.SetUp failed for volume "tls" : secret "late" not found'
    assert waits_for("ContainerCreating")(bench.get("held"))
    bench.secret("late", **{"tls.crt": "here"})
    bench.wait("held", in_phase("Succeeded"))
    assert bench.logs("held") == "here"


def test_a_missing_key_holds_the_pod_until_it_is_there(bench: Bench) -> None:
    bench.secret("part", other="x")
    items = [{"key": "tls.crt", "path": "tls.crt"}]
    bench.pod(
        "held",
        "cat",
        "/tls/tls.crt",
        volumes=[{"name": "tls", "secret": {"secretName": "part", "items": items}}],
        container=MOUNT,
        restartPolicy="Never",
    )
    message = bench.event("held", "FailedMount")["message"]
    assert message.endswith("references non-existent secret key: tls.crt")
    bench.secret("part", **{"tls.crt": "here"})
    bench.wait("held", in_phase("Succeeded"))


def test_a_pod_that_is_held_can_be_deleted(bench: Bench) -> None:
    bench.pod("held", "true", volumes=[{"name": "tls", "secret": {"secretName": "never"}}])
    bench.event("held", "FailedMount")
    bench.delete("held")
    bench.wait_gone("held")


def test_a_variable_from_a_missing_secret_holds_its_container_alone(bench: Bench) -> None:
    reference = {"secretKeyRef": {"name": "late", "key": "word"}}
    bench.pod(
        "held",
        "sh",
        "-c",
        "echo $WORD",
        container={"env": [{"name": "WORD", "valueFrom": reference}]},
        restartPolicy="Never",
    )
    pod = bench.wait("held", waits_for("CreateContainerConfigError"))
    assert state_of(pod)["waiting"]["message"] == 'secret "late" not found'
    bench.secret("late", word="here")
    bench.wait("held", in_phase("Succeeded"))
    assert bench.logs("held") == "here\n"


def test_labels_shown_in_a_file_follow_the_pod(bench: Bench) -> None:
    items = [{"path": "tls.crt", "fieldRef": {"fieldPath": "metadata.labels"}}]
    volumes = [{"name": "tls", "projected": {"sources": [{"downwardAPI": {"items": items}}]}}]
    bench.sleeper(volumes=volumes, container=MOUNT, labels={"a": "old"})
    assert bench.exec("sleeper", "cat", "/tls/tls.crt") == 'a="old"'
    change = {"metadata": {"labels": {"a": "new"}}}
    bench.core.patch_namespaced_pod("sleeper", bench.namespace, change)
    assert bench.exec("sleeper", "timeout", "50", "sh", "-c", UNTIL_NEW) == 'a="new"'


def test_a_memory_volume_is_shared_by_the_pods_containers(bench: Bench) -> None:
    mount = {"volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}]}
    other = {
        "name": "other",
        "image": SECOND,
        "command": ["sh", "-c", "echo hello >/dev/shm/word; sleep infinity"],
    }
    bench.pod(
        "pair",
        "sleep",
        "infinity",
        volumes=[{"name": "shm", "emptyDir": {"medium": "Memory"}}],
        container=mount,
    )
    bench.delete("pair", grace=0)
    bench.wait_gone("pair")
    body = {
        "metadata": {"name": "pair"},
        "spec": {
            "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}],
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "app",
                    "image": FIRST,
                    "command": ["sleep", "infinity"],
                }
                | mount,
                other | mount,
            ],
        },
    }
    bench.core.create_namespaced_pod(bench.namespace, body)
    bench.wait("pair", is_ready)
    script = "until test -s /dev/shm/word; do sleep 0.01; done; cat /dev/shm/word"
    assert bench.exec("pair", "timeout", "50", "sh", "-c", script) == "hello\n"

"""Users of containers and owners of their files, as on a kubelet.

Where the platform has one user, each container sees that one by the number it wants, and the rights
that it would have on a kubelet.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.embedded.image_table import FIRST, SECOND
from tests.embedded.node.live.bench import Bench, in_phase, is_ready, state_of, waits_for

several = pytest.mark.skipif(os.geteuid() != 0, reason="several users take root")
TLS = {"volumeMounts": [{"name": "tls", "mountPath": "/tls"}]}
KEPT = {"volumeMounts": [{"name": "kept", "mountPath": "/kept"}]}


def shown(mode: int = 0o600, **items: Any) -> list[dict[str, Any]]:
    return [{"name": "tls", "secret": {"secretName": "pair", "defaultMode": mode} | items}]


def seen(bench: Bench, *paths: str, pod: str = "sleeper") -> list[str]:
    return bench.exec(pod, "stat", "-Lc", "%a %u %g", *paths).splitlines()


def test_a_private_file_is_for_root_alone(bench: Bench) -> None:
    """As a Deployment finds that runs elsewhere as another user: permission denied."""
    bench.secret("pair", key="KEY")
    bench.sleeper(volumes=shown(), container=TLS)
    code, _, err = bench.run("sleeper", "cat", "/tls/key")
    assert code == 1
    assert "Permission denied" in err
    context = {"securityContext": {"runAsUser": 0}}
    bench.sleeper("root", volumes=shown(), container=TLS | context)
    assert bench.exec("root", "cat", "/tls/key") == "KEY"


def test_the_pods_group_may_read_a_private_file(bench: Bench) -> None:
    """By fsGroup, whatever group the container runs as."""
    bench.secret("pair", key="KEY")
    context = {"fsGroup": 70}
    bench.sleeper(volumes=shown(), container=TLS, securityContext=context)
    assert bench.exec("sleeper", "cat", "/tls/key") == "KEY"
    assert bench.run("sleeper", "sh", "-c", "echo x >/tls/key")[0] != 0


@several
def test_what_a_pod_is_shown_is_roots(bench: Bench) -> None:
    bench.secret("pair", key="KEY", other="x")
    items = {
        "items": [{"key": "key", "path": "a/key", "mode": 0o400}, {"key": "other", "path": "b"}]
    }
    bench.sleeper(volumes=shown(0o644, **items), container=TLS)
    assert seen(bench, "/tls/a/key", "/tls/b") == ["400 0 0", "644 0 0"]
    context = {"fsGroup": 70}
    bench.sleeper("group", volumes=shown(0o600, **items), container=TLS, securityContext=context)
    paths = ("/tls/a", "/tls/a/key", "/tls/b")
    assert seen(bench, *paths, pod="group") == ["2755 0 70", "440 0 70", "640 0 70"]
    bench.secret("pair", key="NEW", other="y")
    until = "until grep -q NEW /tls/a/key; do sleep 0.01; done"
    bench.exec("group", "timeout", "50", "sh", "-c", until)
    assert seen(bench, *paths, pod="group") == ["2755 0 70", "440 0 70", "640 0 70"]


@several
def test_a_container_has_its_user_and_groups(bench: Bench) -> None:
    """Started, executed beside it, and probed."""
    context = {"runAsUser": 70, "runAsGroup": 71, "fsGroup": 72, "supplementalGroups": [73]}
    probe = {"exec": {"command": ["sh", "-c", "id >/tmp/probed"]}}
    command = ["sh", "-c", "id >/tmp/started; trap 'exit 0' TERM; sleep infinity & wait"]
    container = {"command": command, "readinessProbe": probe}
    bench.pod("user", securityContext=context, container=container)
    bench.wait("user", is_ready)
    wanted = "uid=70 gid=71 groups=71,72,73\n"
    assert bench.exec("user", "id") == wanted
    assert bench.exec("user", "cat", "/tmp/started", "/tmp/probed") == wanted * 2
    status = bench.exec(
        "user", "grep", "-hE", "Cap(Eff|Prm|Bnd)", "/proc/self/status", "/proc/1/status"
    )
    assert set(status.split()[1::2]) == {"0" * 16}
    assert bench.run("user", "touch", "/usr/bin/x")[0] == 1
    assert bench.exec("user", "sh", "-c", "echo said >/dev/stdout") == "said\n"


@several
def test_root_of_a_container_may_change_owners_and_users(bench: Bench) -> None:
    """As an init container does for the others, unless it drops what that takes."""
    script = "cd /kept; mkdir one; chown 26:27 one; chmod 700 one; touch one/x"
    root: dict[str, Any] = {"name": "root", "image": FIRST, "command": ["sh", "-c", script], **KEPT}
    root["securityContext"] = {"runAsUser": 0}
    volumes = [{"name": "kept", "emptyDir": {}}]
    bench.sleeper(volumes=volumes, container=KEPT, initContainers=[root])
    assert seen(bench, "/kept", "/kept/one") == ["777 0 0", "700 26 27"]
    assert bench.exec("sleeper", "ls", "/kept/one") == "x\n"
    drops = {"runAsUser": 0, "capabilities": {"drop": ["ALL"], "add": ["CAP_FOWNER"]}}
    container = KEPT | {"securityContext": drops}
    bench.sleeper("bare", volumes=volumes, container=container)
    assert bench.run("bare", "sh", "-c", "touch /kept/x; chown 26 /kept/x")[0] == 1
    status = bench.exec("bare", "grep", "-h", "CapEff", "/proc/self/status", "/proc/1/status")
    assert status.split()[1::2] == ["0000000000000008"] * 2


@several
def test_volumes_that_are_kept_are_the_groups(bench: Bench) -> None:
    """A claim as a fresh disk is, until a Pod with fsGroup comes."""
    claim = {
        "metadata": {"name": "disk"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    bench.core.create_namespaced_persistent_volume_claim(bench.namespace, claim)
    volumes = [
        {"name": "kept", "persistentVolumeClaim": {"claimName": "disk"}},
        {"name": "scratch", "emptyDir": {}},
    ]
    mounts = {"volumeMounts": [*KEPT["volumeMounts"], {"name": "scratch", "mountPath": "/scratch"}]}
    bench.sleeper("bare", volumes=volumes, container=mounts)
    assert seen(bench, "/kept", "/scratch", pod="bare") == ["755 0 0", "777 0 0"]
    assert bench.run("bare", "touch", "/kept/x")[0] == 1
    once = {"fsGroup": 70, "fsGroupChangePolicy": "OnRootMismatch"}
    bench.sleeper("once", volumes=volumes, container=mounts, securityContext=once)
    assert seen(bench, "/kept", "/scratch", pod="once") == ["2775 0 70", "2777 0 70"]
    bench.exec("once", "sh", "-c", "umask 077; mkdir /kept/own; touch /kept/own/file")
    paths = ("/kept/own", "/kept/own/file")
    assert seen(bench, *paths, pod="once") == ["2700 26 70", "600 26 70"]
    bench.sleeper("again", volumes=volumes, container=mounts, securityContext=once)
    assert seen(bench, *paths, pod="again") == ["2700 26 70", "600 26 70"]
    always = {"fsGroup": 71}
    bench.sleeper("always", volumes=volumes, container=mounts, securityContext=always)
    assert seen(bench, *paths, pod="always") == ["2770 26 71", "660 26 71"]


@several
def test_containers_of_a_pod_are_different_users(bench: Bench) -> None:
    """What one writes for itself the other may not read, also where they share processes."""
    volumes = [{"name": "kept", "emptyDir": {}}]
    script = "umask 077; echo own >/kept/$(id -u); trap 'exit 0' TERM; sleep infinity & wait"
    containers = [
        {"name": name, "image": image, "command": ["sh", "-c", script]} | KEPT
        for name, image in (("one", FIRST), ("two", SECOND))
    ]
    for name, shares in (("apart", False), ("shared", True)):
        bench.pod(name, volumes=volumes, containers=containers, shareProcessNamespace=shares)
        bench.wait(name, is_ready)
        for own, user, other in (("one", "26", "1001"), ("two", "1001", "26")):
            wait = "until test -e /kept/26 -a -e /kept/1001; do sleep 0.01; done"
            bench.exec(name, "timeout", "50", "sh", "-c", wait, container=own)
            assert bench.exec(name, "cat", f"/kept/{user}", container=own) == "own\n"
            _, _, err = bench.run(name, "cat", f"/kept/{other}", container=own)
            assert "Permission denied" in err
    users = bench.exec("shared", "ps", "-e", "-o", "uid=,comm=", container="one").split()
    assert {"65535", "26", "1001"} <= set(users)
    code, _, err = bench.run("shared", "pkill", "--uid", "1001", "sleep", container="one")
    assert "Operation not permitted" in err, code


@several
def test_a_user_that_is_not_there_is_refused(bench: Bench) -> None:
    most = 2**31 - 1
    bench.pod("held", securityContext={"runAsUser": most, "fsGroup": most})
    pod = bench.wait("held", waits_for("CreateContainerConfigError"))
    said = f"the embedded platform has no user {most}: it has 0 to {most - 1}; ask for another"
    assert state_of(pod)["waiting"]["message"] == said
    assert bench.event("held", "Failed")["message"] == f"Error: {said}"


def test_a_token_is_its_users_where_all_are_one(bench: Bench) -> None:
    path = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    context = {"runAsUser": 70, "runAsGroup": 70}
    bench.pod("own", "stat", "-Lc", "%a %u", path, securityContext=context, restartPolicy="Never")
    bench.wait("own", in_phase("Succeeded"))
    assert bench.logs("own") == "600 70\n"

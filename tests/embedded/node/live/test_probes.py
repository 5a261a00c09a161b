"""Probes decide about readiness and restarts."""

from __future__ import annotations

import json

from tests.embedded.image_table import FIRST
from tests.embedded.node.live.bench import Bench, container_of, is_ready

LISTEN = (
    "use IO::Socket::INET;"
    "my $s = IO::Socket::INET->new(Listen => 5, LocalPort => 8000, ReuseAddr => 1) or die;"
    "while (my $c = $s->accept) { sysread $c, my $x, 4096;"
    ' print $c "HTTP/1.0 200 OK\\r\\n\\r\\n$ENV{HOSTNAME}\\n"; close $c }'
)


def test_readiness_follows_the_probe_both_ways(bench: Bench) -> None:
    probe = {"exec": {"command": ["test", "-e", "/tmp/ok"]}, "periodSeconds": 1}
    probe |= {"failureThreshold": 1}
    bench.pod("probed", "sleep", "infinity", container={"readinessProbe": probe})
    pod = bench.wait("probed", lambda p: bool(container_of(p).get("started")))
    assert not is_ready(pod)
    bench.exec("probed", "touch", "/tmp/ok")
    bench.wait("probed", is_ready)
    bench.exec("probed", "rm", "/tmp/ok")
    bench.wait("probed", lambda p: not is_ready(p))
    assert "Readiness probe failed" in bench.event("probed", "Unhealthy")["message"]
    bench.delete("probed", grace=0)


def test_a_port_and_a_page_can_be_probed(bench: Bench) -> None:
    container = {
        "ports": [{"name": "web", "containerPort": 8000}],
        "startupProbe": {"tcpSocket": {"port": "web"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 8000}},
    }
    bench.pod("web", "perl", "-e", LISTEN, container=container)
    bench.wait("web", is_ready)
    bench.delete("web", grace=0)


def test_a_probe_that_cannot_be_made_is_told(bench: Bench) -> None:
    # By kubectl, as the official client's types take no such Pod.
    container = {"name": "app", "image": FIRST, "command": ["sleep", "infinity"]}
    spec = {"containers": [container | {"readinessProbe": {"httpGet": {"path": "/"}}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "odd"}, "spec": spec}
    done = bench.kubectl("create", "--filename=-", stdin=json.dumps(pod).encode())
    assert done.returncode == 0, done.stderr
    assert "cannot go on probing" in bench.event("odd", "Unhealthy")["message"]
    ready = "jsonpath={.status.containerStatuses[0].ready}"
    assert bench.kubectl("get", "pod", "odd", "--output", ready).stdout == b"false"
    bench.kubectl("delete", "pod", "odd", "--grace-period=0", "--wait=false")


def test_a_container_that_is_not_alive_is_started_again(bench: Bench) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
    bench.pod(
        "dying",
        "sh",
        "-c",
        "trap 'exit 0' TERM; sleep infinity & wait",
        container={"livenessProbe": probe},
    )
    bench.wait("dying", lambda p: container_of(p).get("restartCount", 0) > 0)
    assert "liveness" in bench.event("dying", "Killing")["message"]
    bench.delete("dying", grace=0)


def test_nothing_is_asked_before_the_start_is_through(bench: Bench) -> None:
    container = {
        "startupProbe": {"exec": {"command": ["test", "-e", "/tmp/up"]}},
        "livenessProbe": {"exec": {"command": ["test", "-e", "/tmp/up"]}, "failureThreshold": 1},
    }
    bench.pod("slow", "sh", "-c", "sleep 0.3; touch /tmp/up; sleep infinity", container=container)
    pod = bench.wait("slow", is_ready)
    assert container_of(pod)["restartCount"] == 0
    bench.delete("slow", grace=0)

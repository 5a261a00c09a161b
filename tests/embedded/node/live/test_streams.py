"""Exec, port-forward and logs through the API server, by the official client and kubectl."""

from __future__ import annotations

import hashlib
from contextlib import closing

import pytest
from kubernetes import client
from kubernetes.stream import portforward, stream

from tests.embedded.node.live.bench import Bench, is_ready
from tests.embedded.node.live.test_probes import LISTEN


@pytest.mark.parametrize("code", [0, 1, 42])
def test_a_commands_code_and_both_its_outputs_come_back(bench: Bench, code: int) -> None:
    bench.sleeper()
    script = f"echo out; echo err >&2; exit {code}"
    assert bench.run("sleeper", "sh", "-c", script) == (code, "out\n", "err\n")


def test_a_program_that_is_not_there_is_said(bench: Bench) -> None:
    bench.sleeper()
    done = bench.kubectl("exec", "sleeper", "--", "no-such-program")
    assert done.returncode != 0
    assert b"no-such-program" in done.stderr


def test_five_megabytes_go_in_and_come_out(bench: Bench) -> None:
    bench.sleeper()
    data = b"0123456789abcdef" * (5 * 65536)
    counted = bench.kubectl("exec", "-i", "sleeper", "--", "sha256sum", stdin=data)
    assert counted.stdout.split()[0].decode() == hashlib.sha256(data).hexdigest()
    assert bench.kubectl("exec", "-i", "sleeper", "--", "cat", stdin=data).stdout == data


def test_a_terminal_is_one(bench: Bench) -> None:
    bench.sleeper()
    session = stream(
        bench.core.connect_get_namespaced_pod_exec,
        "sleeper",
        bench.namespace,
        command=["sh", "-c", "test -t 0 && test -t 1 && read line && echo got $line"],
        stdin=True,
        stdout=True,
        stderr=False,
        tty=True,
        _preload_content=False,
    )
    session.write_stdin("hello\n")
    session.run_forever(timeout=60)
    assert "got hello" in session.read_stdout(timeout=0)
    assert session.returncode == 0


def test_a_container_that_is_not_there_or_does_not_run_is_said(bench: Bench) -> None:
    bench.pod("held", "true", volumes=[{"name": "v", "secret": {"secretName": "never"}}])
    bench.event("held", "FailedMount")
    assert bench.kubectl("exec", "held", "--", "true").returncode != 0
    with pytest.raises(client.ApiException, match="is waiting to start: ContainerCreating"):
        bench.logs("held")
    with pytest.raises(client.ApiException, match="container nobody is not valid"):
        bench.logs("held", container="nobody")


def test_a_port_is_forwarded_to_the_pods_loopback(bench: Bench) -> None:
    bench.pod("web", "perl", "-e", LISTEN.replace("Listen", 'LocalAddr => "127.0.0.1", Listen'))
    bench.wait("web", is_ready)
    script = "until exec 3<>/dev/tcp/127.0.0.1/8000; do sleep 0.01; done"
    bench.exec("web", "timeout", "50", "bash", "-c", script)
    forwarded = portforward(
        bench.core.connect_get_namespaced_pod_portforward, "web", bench.namespace, ports="8000"
    )
    with closing(forwarded.socket(8000)) as connection:
        connection.settimeout(60)
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while data := connection.recv(4096):
            answer += data
    assert answer.endswith(b"\r\n\r\nweb\n")
    bench.delete("web", grace=0)


def test_a_port_where_nobody_listens_is_said(bench: Bench) -> None:
    bench.sleeper()
    forwarded = portforward(
        bench.core.connect_get_namespaced_pod_portforward, "sleeper", bench.namespace, ports="9"
    )
    with closing(forwarded.socket(9)) as connection:
        connection.settimeout(60)
        assert connection.recv(1) == b""
    assert "refused" in str(forwarded.error(9))


def test_a_log_is_given_as_asked_for(bench: Bench) -> None:
    bench.pod("counting", "seq", "5", restartPolicy="Never")
    bench.wait("counting", lambda p: p["status"].get("phase") == "Succeeded")
    assert bench.logs("counting", tail_lines=2) == "4\n5\n"
    assert bench.logs("counting", limit_bytes=3) == "1\n2"
    assert bench.logs("counting", timestamps=True).split()[1::2] == list("12345")
    assert bench.logs("counting", since_seconds=3600) == "1\n2\n3\n4\n5\n"


def test_a_log_can_be_followed_to_its_end(bench: Bench) -> None:
    script = "echo first; until test -e /tmp/go; do sleep 0.01; done; echo last"
    bench.pod("talking", "sh", "-c", script, restartPolicy="Never")
    bench.wait("talking", is_ready)
    following = bench.core.read_namespaced_pod_log(
        "talking", bench.namespace, follow=True, _preload_content=False
    )
    lines = (line for piece in following.stream() for line in piece.splitlines())
    assert next(lines) == b"first"
    bench.exec("talking", "touch", "/tmp/go")
    assert list(lines) == [b"last"]


def test_kubectl_speaks_to_a_pod(bench: Bench) -> None:
    bench.sleeper()
    assert bench.kubectl("exec", "sleeper", "--", "echo", "hello").stdout == b"hello\n"
    assert bench.kubectl("exec", "sleeper", "--", "sh", "-c", "exit 7").returncode == 7
    assert bench.kubectl("logs", "sleeper").returncode == 0

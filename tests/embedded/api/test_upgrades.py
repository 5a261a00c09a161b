"""Exec, attach and port-forward for clients of every kind: SPDY, and each WebSocket subprotocol."""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import websocket

from tests.embedded.api import kubectl as tool
from tests.embedded.api import kubelet
from tests.embedded.api.kubectl import Kubectl
from tests.embedded.api.raw import Raw
from tests.embedded.api.serving import TOKEN, Running, running

Paths = Callable[..., str]
CODED = ("v4.base64.channel.k8s.io", "base64.channel.k8s.io")
OLD = ("channel.k8s.io", "base64.channel.k8s.io", "")


@pytest.fixture(scope="module")
def server(server_with_node: Running) -> Running:
    return server_with_node


@pytest.fixture(scope="module")
def api(server: Running) -> Iterator[Raw]:
    client = Raw(server.url, server.ca, TOKEN)
    yield client
    client.close()


@pytest.fixture
def pod(api: Raw, core: Paths) -> str:
    """The path of a Pod, of whose containers one is still being created."""
    containers = [{"name": name, "image": "i"} for name in ("main", "creating")]
    notes = {"kubectl.kubernetes.io/default-container": "main"}
    spec = {"nodeName": "node", "containers": containers}
    labels = {"app": "p"}
    made = {"metadata": {"name": "p", "annotations": notes, "labels": labels}, "spec": spec}
    assert api.post(core("pods"), made).code == 201
    assert api.patch(core("pods", "p", "status"), {"status": {"phase": "Running"}}).code == 200
    return core("pods", "p")


@pytest.fixture(params=[True, False], ids=["WebSocket", "SPDY"])
def either(kubectl: Kubectl, request: pytest.FixtureRequest) -> Kubectl:
    return replace(kubectl, websockets=request.param)


@contextmanager
def dialled(server: Running, path: str, query: Any, *protocols: str) -> Iterator[Any]:
    found = websocket.create_connection(
        f"{server.url.replace('http', 'ws', 1)}{path}?{urlencode(query)}",
        sslopt={"ca_certs": str(server.ca)},
        timeout=60,
        header=[f"Authorization: Bearer {TOKEN}"],
        subprotocols=list(protocols),
    )
    try:
        yield found
    finally:
        # What the other side has closed the client leaves open.
        found.shutdown()  # type: ignore[no-untyped-call]


def channels(connection: Any, protocol: str) -> dict[int, bytes]:
    """What came on each channel until the end."""
    found: dict[int, bytes] = {}
    while True:
        opcode, data = connection.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return found
        if protocol in CODED:
            assert opcode == websocket.ABNF.OPCODE_TEXT
            data = bytes([int(data[:1])]) + base64.b64decode(data[1:])
        found[data[0]] = found.get(data[0], b"") + data[1:]


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io", *CODED, *OLD[::2]])
def test_a_command_over_each_subprotocol(server: Running, pod: str, protocol: str) -> None:
    offered = [protocol] if protocol else []
    query = [("command", "say"), ("command", "hi"), ("stdout", "1"), ("stderr", "1")]
    with dialled(server, f"{pod}/exec", query, *offered) as found:
        assert (found.getsubprotocol() or "") == protocol
        said = channels(found, protocol)
    assert said[1] == b"main: say hi\n"
    if protocol in OLD:
        assert 3 not in said
    else:
        assert json.loads(said[3])["status"] == "Success"
    with dialled(server, f"{pod}/exec", [("command", "fail"), ("stderr", "1")], *offered) as found:
        failed = channels(found, protocol)
    assert failed[2] == b"no\n"
    assert b"exit code 3" in failed[3]
    assert failed[3].startswith(b"{") != (protocol in OLD)


@pytest.mark.parametrize("protocol", CODED)
def test_input_in_base64(server: Running, pod: str, protocol: str) -> None:
    query = {"command": "cat", "stdin": "1", "stdout": "1"}
    with dialled(server, f"{pod}/exec", query, protocol) as found:
        found.send("0" + base64.b64encode(b"typed\xff").decode())
        found.send("0" + base64.b64encode(b"end\n").decode())
        assert channels(found, protocol)[1] == b"typed\xff"


@pytest.mark.parametrize("protocol", ["v4.channel.k8s.io", "v4.base64.channel.k8s.io", ""])
def test_a_port_over_each_subprotocol(server: Running, pod: str, protocol: str) -> None:
    offered = [protocol] if protocol else []
    with dialled(server, f"{pod}/portforward", {"ports": "5432"}, *offered) as found:
        coded = protocol in CODED
        for channel in (0, 1):
            first = found.recv()
            begun = bytes([int(first[:1])]) + base64.b64decode(first[1:]) if coded else first
            assert begun == bytes([channel]) + (5432).to_bytes(2, "little")
        if coded:
            found.send("0" + base64.b64encode(b"hello").decode())
            assert base64.b64decode(found.recv()[1:]) == b"HELLO"
        else:
            found.send_binary(b"\x00hello")
            assert found.recv() == b"\x00HELLO"


def test_kubectl_runs_commands(either: Kubectl, pod: str) -> None:
    assert either("exec", "p", "--", "say", "hello") == "main: say hello\n"
    failed = either.run("exec", "p", "--", "fail")
    assert (failed.returncode, failed.stderr.splitlines()[0]) == (3, "no")


def test_kubectl_hands_in_megabytes(either: Kubectl, pod: str) -> None:
    text = "0123456789abcdef" * 65_536
    assert either("exec", "-i", "p", "--", "cat", stdin=text) == text


def test_kubectl_attaches(either: Kubectl, pod: str) -> None:
    assert either("attach", "p") == "later\n"


@contextmanager
def forwarded(kubectl: Kubectl, port: int, to: str = "p") -> Iterator[int]:
    """The local port that kubectl forwards."""
    command = [str(tool.binary()), "--kubeconfig", str(kubectl.kubeconfig), "-n", kubectl.namespace]
    with subprocess.Popen(
        [*command, "port-forward", to, f":{port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=kubectl.environment(),
    ) as process:
        try:
            line = (process.stdout or iter(())).__iter__().__next__()
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert found, line
            yield int(found[1])
        finally:
            process.terminate()


def test_kubectl_forwards_connections_side_by_side(either: Kubectl, pod: str) -> None:
    with forwarded(either, 5432) as port:
        ends = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(3)]
        for number, end in enumerate(ends):
            end.sendall(f"hello {number}".encode())
        for number, end in reversed(list(enumerate(ends))):
            assert end.recv(100) == f"HELLO {number}".encode()
            # The end of what the client has to say reaches the Pod, and its end the client.
            end.shutdown(socket.SHUT_WR)
            assert end.recv(100) == b""
            end.close()


def test_kubectl_forwards_to_the_pod_behind_a_service(
    either: Kubectl, pod: str, api: Raw, core: Paths
) -> None:
    spec = {"selector": {"app": "p"}, "ports": [{"port": 80, "targetPort": 5432}]}
    assert api.post(core("services"), {"metadata": {"name": "s"}, "spec": spec}).code == 201
    with (
        forwarded(either, 80, "svc/s") as port,
        socket.create_connection(("127.0.0.1", port), 60) as end,
    ):
        end.sendall(b"hello")
        assert end.recv(100) == b"HELLO"


def test_kubectl_is_told_that_nobody_listens(either: Kubectl, pod: str) -> None:
    with (
        forwarded(either, kubelet.CLOSED) as port,
        socket.create_connection(("127.0.0.1", port), 60) as end,
    ):
        assert end.recv(100) == b""


def upgraded(server: Running, path: str, upgrade: str, *headers: str) -> tuple[int, str]:
    """The status and the rest of the answer to a request for an upgrade."""
    host, port = server.url.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=str(server.ca))
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}:{port}", "Content-Length: 0"]
    lines += [f"Authorization: Bearer {TOKEN}", "Connection: Upgrade", f"Upgrade: {upgrade}"]
    with (
        socket.create_connection((host, int(port)), 60) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.sendall("\r\n".join([*lines, *headers, "", ""]).encode())
        answer = connection.recv(65_536).decode()
    return int(answer.split()[1]), answer


def test_spdy_has_its_protocol_negotiated(server: Running, pod: str) -> None:
    offered = [f"X-Stream-Protocol-Version: v{n}.channel.k8s.io" for n in (9, 4, 3)]
    path = f"{pod}/exec?command=wait&stdout=1"
    code, answer = upgraded(server, path, "SPDY/3.1", *offered)
    assert (code, "X-Stream-Protocol-Version: v4.channel.k8s.io" in answer) == (101, True)
    code, answer = upgraded(server, path, "SPDY/3.1", offered[0])
    assert (code, "unable to upgrade: client supports [v9" in answer) == (403, True)


@pytest.mark.parametrize("header", ["Sec-WebSocket-Protocol", "X-Stream-Protocol-Version"])
def test_an_upgrade_that_cannot_be_served_hides_no_reason(
    server: Running, api: Raw, core: Paths, pod: str, header: str
) -> None:
    upgrade = "websocket" if header.startswith("Sec") else "SPDY/3.1"
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    unknown = (upgrade, f"{header}: unknown", key, "Sec-WebSocket-Version: 13")

    def told(path: str) -> tuple[int, str]:
        code, answer = upgraded(server, path, *unknown)
        return code, json.loads(answer.split("\r\n\r\n", 1)[1])["message"]

    assert told(f"{pod}/exec?command=say&container=creating") == (
        *(404, 'container not found ("creating")'),
    )
    assert told(f"{pod}/exec?command=say&container=none")[0] == 400
    assert told(f"{core('pods', 'none')}/exec?command=say")[0] == 404
    assert told(f"{pod}/exec?command=say")[0] == 403
    spec = {"containers": [{"name": "c", "image": "i"}]}
    api.post(core("pods"), {"metadata": {"name": "homeless"}, "spec": spec})
    for action in ("exec?command=say", "attach", "portforward"):
        homeless = told(f"{core('pods', 'homeless')}/{action}")
        assert homeless == (400, "pod homeless does not have a host assigned")


def test_a_container_that_is_being_created_is_told(either: Kubectl, pod: str) -> None:
    refused = either.run("exec", "p", "-c", "creating", "--", "say")
    assert 'container not found ("creating")' in refused.stderr


def test_a_pod_that_has_ended_runs_no_command(api: Raw, pod: str, either: Kubectl) -> None:
    api.patch(f"{pod}/status", {"status": {"phase": "Succeeded"}})
    assert "current phase is Succeeded" in either.run("exec", "p", "--", "say").stderr


def test_a_node_that_is_away_is_told(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with kubelet.stand_in(tmp_path_factory.mktemp("away")) as node:
        gone = node | {"url": "https://127.0.0.1:1"}
        with running(tmp_path, kubelet=gone) as server:
            api = Raw(server.url, server.ca, TOKEN)
            api.post(
                "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}}
            )
            path = "/api/v1/namespaces/default/pods"
            spec = {"nodeName": "node", "containers": [{"name": "c", "image": "i"}]}
            api.post(path, {"metadata": {"name": "p"}, "spec": spec})
            for word in ("v4.channel.k8s.io", "unknown"):
                header = f"X-Stream-Protocol-Version: {word}"
                code, answer = upgraded(server, f"{path}/p/exec?command=x", "SPDY/3.1", header)
                assert (code, "error dialing backend" in answer) == (500, True)
            api.close()

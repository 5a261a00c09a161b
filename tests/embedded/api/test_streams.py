"""Exec, port-forward and logs, through the API server to a stand-in for the node."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from kubernetes import client as kube
from kubernetes.stream import portforward, stream

from tests.embedded.api.kubectl import Kubectl
from tests.embedded.api.raw import Raw
from tests.embedded.api.serving import TOKEN, Running

Paths = Callable[..., str]


@pytest.fixture(scope="module")
def server(server_with_node: Running) -> Running:
    return server_with_node


@pytest.fixture(scope="module")
def api(server: Running) -> Iterator[Raw]:
    client = Raw(server.url, server.ca, TOKEN)
    yield client
    client.close()


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[kube.ApiClient]:
    with server.client() as found:
        yield found
        found.rest_client.pool_manager.clear()


@pytest.fixture
def pod(api: Raw, core: Paths) -> str:
    """A Pod with two containers, of which the first is the default one."""
    containers = [{"name": name, "image": "i"} for name in ("main", "starting", "creating")]
    notes = {"kubectl.kubernetes.io/default-container": "main"}
    meta = {"name": "p", "annotations": notes}
    spec = {"nodeName": "node", "containers": containers}
    api.post(core("pods"), {"metadata": meta, "spec": spec})
    return "p"


@contextmanager
def session(client: kube.ApiClient, namespace: str, *command: str, **options: Any) -> Iterator[Any]:
    """A command that runs; closed at the end."""
    # A connection of its own: the client's `stream` changes the one that it is given.
    core = kube.CoreV1Api(kube.ApiClient(client.configuration))
    call: Any = stream
    options |= {"command": list(command), "stdout": True, "stderr": True}
    found = call(
        core.connect_get_namespaced_pod_exec, "p", namespace, _preload_content=False, **options
    )
    yield found
    # What the other side has closed the client leaves open.
    found.sock.shutdown()


def said(client: kube.ApiClient, namespace: str, *command: str, **options: Any) -> str:
    with session(client, namespace, *command, **options) as found:
        found.run_forever(timeout=60)
        return str(found.read_all())


def test_the_official_client_runs_a_command(
    client: kube.ApiClient, namespace: str, pod: str
) -> None:
    assert said(client, namespace, "say", "hello") == "main: say hello\n"


def test_it_chooses_the_container(client: kube.ApiClient, namespace: str, pod: str) -> None:
    assert said(client, namespace, "say", container="starting") == "starting: say\n"


def test_it_sends_input_and_reads_the_exit_code(
    client: kube.ApiClient, namespace: str, pod: str
) -> None:
    with session(client, namespace, "cat", stdin=True) as cat:
        cat.write_stdin("x" * 100_000)
        cat.write_stdin("end\n")
        cat.run_forever(timeout=60)
        assert (len(cat.read_stdout()), cat.returncode) == (100_000, 0)
    with session(client, namespace, "fail") as failed:
        failed.run_forever(timeout=60)
        assert (failed.read_stderr(), failed.returncode) == ("no\n", 3)


def test_kubectl_runs_a_command(kubectl: Kubectl, pod: str) -> None:
    assert kubectl("exec", pod, "--", "say", "hello") == "main: say hello\n"
    failed = kubectl.run("exec", pod, "--", "fail")
    assert (failed.returncode, failed.stderr.splitlines()[0]) == (3, "no")


def test_kubectl_gives_the_command_its_input(kubectl: Kubectl, pod: str) -> None:
    assert kubectl("exec", "-i", pod, "--", "cat", stdin="typed") == "typed"


def test_kubectl_finds_the_pod_of_a_deployment(
    kubectl: Kubectl, api: Raw, core: Paths, namespace: str
) -> None:
    template: dict[str, Any] = {
        "metadata": {"labels": {"name": "pg-client"}},
        "spec": {"nodeName": "node", "containers": [{"name": "client", "image": "i"}]},
    }
    spec = {"selector": {"matchLabels": {"name": "pg-client"}}, "template": template}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    api.post(path, {"metadata": {"name": "pg-client"}, "spec": spec})
    api.post(core("pods"), {**template, "metadata": {"name": "q", **template["metadata"]}})
    api.patch(core("pods", "q", "status"), {"status": {"phase": "Running"}})
    arguments = ("exec", "-it", "deployment/pg-client", "--", "say", "hi")
    assert kubectl(*arguments) == "client: say hi\n"


def test_logs(client: kube.ApiClient, kubectl: Kubectl, namespace: str, pod: str) -> None:
    assert kubectl("logs", pod, "--tail=2") == "line 0\nline 1\n"
    text = kube.CoreV1Api(client).read_namespaced_pod_log(pod, namespace, container="main")
    assert text == "line 0\nline 1\nline 2\n"


def test_the_nodes_refusal_is_told(kubectl: Kubectl, pod: str) -> None:
    refused = kubectl.run("logs", pod, "-c", "starting")
    assert 'container "starting" in pod "p" is waiting to start' in refused.stderr


def test_the_official_client_forwards_a_port(
    client: kube.ApiClient, namespace: str, pod: str
) -> None:
    core = kube.CoreV1Api(kube.ApiClient(client.configuration))
    call: Any = portforward
    forwarded = call(core.connect_get_namespaced_pod_portforward, pod, namespace, ports="5432")
    with warnings.catch_warnings():
        # The client leaves its own ends of the sockets to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        with closing(forwarded.socket(5432)) as socket:
            socket.sendall(b"hello")
            assert socket.recv(100) == b"HELLO"
        forwarded.close()
        del forwarded, socket
        gc.collect()


def test_a_container_must_be_named_where_there_are_several(api: Raw, core: Paths) -> None:
    containers = [{"name": name, "image": "i"} for name in ("a", "b")]
    spec = {"nodeName": "node", "containers": containers}
    api.post(core("pods"), {"metadata": {"name": "p"}, "spec": spec})
    answer = api.get(core("pods", "p", "log"))
    assert (answer.code, answer.message) == (
        *(400, "a container name must be specified for pod p, choose one of: [a b]"),
    )
    assert api.get(core("pods", "p", "log"), container="c").code == 400


def test_without_an_upgrade_it_is_400(api: Raw, core: Paths, pod: str) -> None:
    assert api.get(core("pods", pod, "exec"), command="x").code == 400


def test_a_pod_that_is_not_there_is_404(api: Raw, core: Paths) -> None:
    assert api.get(core("pods", "none", "log")).code == 404

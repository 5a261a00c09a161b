"""The way to a node by its socket file rather than by its address."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.embedded.api import kubelet
from tests.embedded.api.raw import Raw
from tests.embedded.api.serving import TOKEN, running

NAMESPACE = "/api/v1/namespaces/default"
PODS = f"{NAMESPACE}/pods"


@contextmanager
def pod_on_node(folder: Path, *, socket: str) -> Iterator[Raw]:
    """A server that has a Pod, on a node that no address leads to."""
    # The path of a socket may be a hundred characters long, not more.
    with tempfile.TemporaryDirectory() as directory, kubelet.stand_in(Path(directory)) as node:
        told = node | {"url": "https://127.0.0.1:1", "socket": str(Path(directory, socket))}
        with running(folder, kubelet=told) as server:
            api = Raw(server.url, server.ca, TOKEN)
            account = {"metadata": {"name": "default"}}
            assert api.post(f"{NAMESPACE}/serviceaccounts", account).code == 201
            spec = {"nodeName": "node", "containers": [{"name": "c", "image": "i"}]}
            assert api.post(PODS, {"metadata": {"name": "p"}, "spec": spec}).code == 201
            yield api
            api.close()


def test_the_node_is_asked_at_its_socket_file(tmp_path: Path) -> None:
    with pod_on_node(tmp_path, socket=kubelet.SOCKET) as api:
        found = api.get(f"{PODS}/p/log", tailLines=2)
        assert (found.code, found.body) == (200, b"line 0\nline 1\n")


def test_a_socket_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pod_on_node(tmp_path, socket="missing") as api:
        found = api.get(f"{PODS}/p/log")
        assert found.code == 500
        assert "error dialing backend" in found.message

"""One server for all tests of this folder; each test has a namespace of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiClient

from tests.embedded.api import kubelet
from tests.embedded.api.definitions import CRDS, definition
from tests.embedded.api.kubectl import Kubectl
from tests.embedded.api.raw import Raw
from tests.embedded.api.serving import TOKEN, Running, running

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("api")) as found:
        yield found


@pytest.fixture(scope="session")
def api(server: Running) -> Iterator[Raw]:
    client = Raw(server.url, server.ca, TOKEN)
    yield client
    client.close()


@pytest.fixture(scope="session")
def server_with_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that reaches a stand-in for the kubelet."""
    with (
        kubelet.stand_in(tmp_path_factory.mktemp("kubelet")) as node,
        running(tmp_path_factory.mktemp("api"), kubelet=node) as found,
    ):
        yield found


@pytest.fixture(scope="session")
def client(server: Running) -> Iterator[ApiClient]:
    with server.client() as found:
        yield found
        found.rest_client.pool_manager.clear()


@pytest.fixture
def namespace(api: Raw) -> str:
    """A namespace, with the ServiceAccount that the controllers of a cluster make there."""
    name = f"test-{next(_NUMBERS)}"
    assert api.post("/api/v1/namespaces", {"metadata": {"name": name}}).code == 201
    accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
    assert api.post(accounts, {"metadata": {"name": "default"}}).code == 201
    return name


@pytest.fixture
def core(namespace: str) -> Callable[..., str]:
    """Paths of core/v1 in the test's namespace."""
    return lambda *parts: "/".join(["/api/v1/namespaces", namespace, *parts])


@pytest.fixture
def kubectl(server: Running, namespace: str, tmp_path: Path) -> Kubectl:
    return Kubectl(server.kubeconfig, namespace, tmp_path)


@pytest.fixture
def crd(api: Raw) -> Iterator[Callable[..., str]]:
    """Defines kinds in a group of the test's own; returns the path of their version `v1`."""
    made: list[str] = []

    def define(spec: dict[str, Any], status: dict[str, Any] | None = None, **version: Any) -> str:
        body = definition(f"g{next(_NUMBERS)}.example.com", spec, status, **version)
        made.append(body["metadata"]["name"])
        answer = api.post(CRDS, body)
        assert answer.code == 201, answer.body
        return f"/apis/{body['spec']['group']}/v1"

    yield define
    for name in made:
        api.delete(f"{CRDS}/{name}")

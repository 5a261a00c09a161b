"""One platform with the operator on it for all of these tests, a namespace for each module."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from embedded.client import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    CRDS,
    DEPLOYMENTS,
    NAMESPACES,
    ROLEBINDINGS,
    ROLES,
    SERVICEACCOUNTS,
    Client,
)
from reference.operator.resources import PGCLUSTERS
from tests.embedded.announced import running
from tests.reference.operator.builders import Json
from tests.reference.operator.live.clusters import LiveClusters

_NAMESPACE = "postgres-operator"
_RESOURCES = {
    each.kind: each
    for each in (
        CRDS,
        SERVICEACCOUNTS,
        CLUSTERROLES,
        CLUSTERROLEBINDINGS,
        ROLES,
        ROLEBINDINGS,
        DEPLOYMENTS,
    )
}


@pytest.fixture(scope="session")
def platform() -> Iterator[dict[str, str]]:
    """The launcher's announcement of the platform that it keeps up."""
    with running("reference", "up", "--json") as found:
        yield found


@pytest.fixture(scope="session")
def installed(platform: dict[str, str]) -> Iterator[tuple[asyncio.Runner, Client]]:
    """The operator, installed from its bundle and watching."""
    with asyncio.Runner() as runner:
        client = Client.from_kubeconfig(platform["kubeconfig"])
        runner.run(_install(client, Path(platform["bundle"])))
        yield runner, client
        runner.run(client.close())


@pytest.fixture(scope="module")
def live(installed: tuple[asyncio.Runner, Client]) -> Iterator[LiveClusters]:
    """A namespace of the module's own."""
    runner, client = installed
    name = f"operator-{uuid.uuid4().hex[:8]}"
    runner.run(client.create(NAMESPACES, _namespace(name)))
    yield LiveClusters(runner, client, name)
    runner.run(_remove(client, name))


async def _install(client: Client, bundle: Path) -> None:
    await client.create(NAMESPACES, _namespace(_NAMESPACE))
    for obj in yaml.safe_load_all(bundle.read_text()):
        resource = _RESOURCES[obj["kind"]]
        placed = {"namespace": _NAMESPACE} if resource.namespaced else {}
        obj["metadata"] |= placed
        await client.apply(resource, obj, manager="test")
    await _available(client)


async def _available(client: Client) -> None:
    listed = await client.list(DEPLOYMENTS, _NAMESPACE)
    if any(map(_is_available, listed.items)):
        return
    async with asyncio.timeout(60):
        async for event in client.watch(
            DEPLOYMENTS, _NAMESPACE, resource_version=listed.resource_version
        ):
            if _is_available(event.object):
                return


def _is_available(deployment: Json) -> bool:
    return bool((deployment.get("status") or {}).get("availableReplicas"))


async def _remove(client: Client, namespace: str) -> None:
    for obj in (await client.list(PGCLUSTERS, namespace)).items:
        bare = {"metadata": {"finalizers": None}}
        await client.patch(PGCLUSTERS, obj["metadata"]["name"], namespace, bare)
    await client.delete(NAMESPACES, namespace)


def _namespace(name: str) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}

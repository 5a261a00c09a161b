"""Changes that the operator is notified of, where its own writes cross those of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from embedded.client import Client, Resource
from reference.operator.bundle.render import objects
from reference.operator.cached_client import CachedClient
from reference.operator.names import DELETE_SSL
from reference.operator.resources import PGCLUSTERS
from tests.embedded.client.api_process import ApiProcess, api_server
from tests.embedded.client.test_client import run
from tests.reference.operator.builders import manifest

DEFINITIONS = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    plural="customresourcedefinitions",
    kind="CustomResourceDefinition",
    namespaced=False,
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    with api_server(tmp_path_factory.mktemp("api")) as running:
        yield running


def test_a_deletion_that_comes_with_the_answer_to_an_own_write_is_heard(api: ApiProcess) -> None:
    async def main(client: Client, ns: str) -> None:
        definition = next(o for o in objects() if o["kind"] == DEFINITIONS.kind)
        await client.create(DEFINITIONS, definition)
        wanted = manifest(finalizers=(DELETE_SSL,))
        wanted["metadata"].pop("namespace")
        made = await client.create(PGCLUSTERS, wanted, ns)
        api, heard = CachedClient(client), list[Any]()
        api.on_change(PGCLUSTERS, heard.append)
        await api.merge(PGCLUSTERS, made, {"status": {"state": "ready"}}, subresource="status")
        await client.delete(PGCLUSTERS, "c", ns)
        await api.merge(PGCLUSTERS, made, {"status": {"state": "init"}}, subresource="status")
        assert [bool(each["metadata"].get("deletionTimestamp")) for each in heard] == [False, True]

    run(api, main)

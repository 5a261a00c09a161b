"""One embedded platform for all of these tests, and a namespace for each."""

from __future__ import annotations

import gc
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from tests.embedded.announced import running
from tests.embedded.image_table import FIRST, OPTIONS
from tests.embedded.node.live.bench import Bench


@contextmanager
def namespace(platform: dict[str, str], api: Any, image: str = FIRST) -> Iterator[Bench]:
    """Make a namespace for Pods of `image`, and remove it."""
    core: Any = client.CoreV1Api(api)
    name = f"node-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    try:
        yield Bench(api, name, Path(platform["kubeconfig"]), Path(platform["log_dir"]), image)
    finally:
        core.delete_namespace(name)
        # The client's watches and streams leave their sockets to the garbage collector.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@contextmanager
def connected(platform: dict[str, str]) -> Iterator[Any]:
    """Give the official client of a platform."""
    connect: Any = config.new_client_from_config
    with connect(platform["kubeconfig"]) as found:
        yield found
        # Its own end leaves connections open.
        found.rest_client.pool_manager.clear()


@pytest.fixture(scope="session")
def platform() -> Iterator[dict[str, str]]:
    """The announcement of the platform that it keeps up."""
    with running("embedded", "up", "--json", *OPTIONS) as found:
        yield found


@pytest.fixture(scope="session")
def api(platform: dict[str, str]) -> Iterator[Any]:
    with connected(platform) as found:
        yield found


@pytest.fixture
def bench(api: Any, platform: dict[str, str]) -> Iterator[Bench]:
    """A namespace of the test's own."""
    with namespace(platform, api) as found:
        yield found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the official client drop its sockets as it does."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))

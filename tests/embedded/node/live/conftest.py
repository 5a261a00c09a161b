"""One embedded platform for all of these tests, and a namespace for each."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from tests.embedded.node.live.bench import Bench

_DOWN_SECONDS = 30


@pytest.fixture(scope="session")
def platform() -> Iterator[dict[str, str]]:
    """What the launcher says of the platform that it keeps up."""
    launcher = subprocess.Popen(
        [sys.executable, "-m", "embedded", "up", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert launcher.stdin is not None
    assert launcher.stdout is not None
    try:
        line = launcher.stdout.readline()
        assert line, f"the launcher ended with exit code {launcher.wait()}"
        yield json.loads(line)
    finally:
        launcher.stdin.close()
        launcher.stdout.close()
        launcher.wait(_DOWN_SECONDS)


@pytest.fixture(scope="session")
def api(platform: dict[str, str]) -> Iterator[Any]:
    connect: Any = config.new_client_from_config
    with connect(platform["kubeconfig"]) as found:
        yield found
        # Its own end leaves connections open.
        found.rest_client.pool_manager.clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the official client drop its sockets as it does."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))


@pytest.fixture
def bench(api: Any, platform: dict[str, str]) -> Iterator[Bench]:
    """A namespace of the test's own."""
    core: Any = client.CoreV1Api(api)
    name = f"node-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    try:
        yield Bench(api, name, Path(platform["kubeconfig"]), Path(platform["log_dir"]))
    finally:
        core.delete_namespace(name)
        # The client's watches and streams leave their sockets to the garbage collector.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

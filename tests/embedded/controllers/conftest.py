"""One API server and one controllers process for all tests of this folder."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedded.client import CONFIGMAPS
from tests.embedded.client.api_process import api_server
from tests.embedded.controllers.seen import there
from tests.embedded.controllers.world import World


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with api_server(tmp_path_factory.mktemp("api")) as api:
        yield api.kubeconfig


@pytest.fixture(scope="session")
def world(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A cluster whose Pods run as soon as they are bound, unless annotated `manual`."""
    with controlled(kubeconfig, tmp_path_factory.mktemp("controllers")) as found:
        yield found


@contextmanager
def controlled(kubeconfig: Path, folder: Path, *options: str) -> Iterator[World]:
    """Run the controllers with these options."""
    log = folder / "log"
    command = [sys.executable, "-m", "embedded.controllers", "--kubeconfig", str(kubeconfig)]
    command += options
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    world = World(kubeconfig)
    try:
        world.serve_all()
        world.eventually(CONFIGMAPS, "default", there("kube-root-ca.crt"), "nobody works")
        yield world
    finally:
        world.close()
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
    said = log.read_text()
    assert code == 0, said
    assert "Traceback" not in said, said


@pytest.fixture
def namespace(world: World) -> str:
    return world.namespace()

"""A cluster for tests: a Kubernetes in a box, with the images of `images.yaml`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

IMAGES = Path(__file__).with_name("images.yaml")


@pytest.fixture(scope="session")
def kubeconfig() -> Iterator[str]:
    """Path of the kubeconfig of a cluster that is up until the end of the session."""
    command = [sys.executable, "-m", "embedded", "up", "--json", "--images", str(IMAGES)]
    # The end of its standard input ends the box, and with it all that runs there.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            message = json.loads(line)
            if "kubeconfig" in message:
                yield message["kubeconfig"]
                return
        pytest.fail("the box has not come up; it says why on standard error")


@pytest.fixture
def api(kubeconfig: str) -> Iterator[client.ApiClient]:
    """The official client of the cluster."""
    with config.new_client_from_config(kubeconfig) as connected:
        yield connected

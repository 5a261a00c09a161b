"""An embedded platform whose node commits the fault that a test names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.announced import running
from tests.embedded.node.live.bench import Bench
from tests.embedded.node.live.conftest import connected, namespace


@pytest.fixture
def faulty(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A namespace on a platform whose node has the fault that the test names."""
    with (
        running("reference", "up", "--json", "--faults", request.param) as found,
        connected(found) as its_api,
        namespace(found, its_api, "percona/percona-distribution-postgresql:17") as made,
    ):
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the official client drop its sockets as it does."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))

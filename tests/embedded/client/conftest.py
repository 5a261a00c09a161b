"""An API server for the tests of its client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.embedded.client.api_process import ApiProcess, api_server


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    with api_server(tmp_path_factory.mktemp("api")) as running:
        yield running

"""The rows, against the embedded API server without controllers and node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from tests.embedded.api.serving import TOKEN, running
from tests.parity.rows import DiffersError, Request, Row, Step, rows, run


@pytest.fixture(scope="session")
def request_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Request]:
    with running(tmp_path_factory.mktemp("parity")) as server:
        pool = urllib3.PoolManager(ca_certs=str(server.ca), retries=False)
        own = {"Authorization": f"Bearer {TOKEN}"}

        def sent(
            method: str, path: str, body: bytes | None, headers: dict[str, str]
        ) -> tuple[int, bytes]:
            found = pool.request(method, f"{server.url}{path}", body=body, headers=own | headers)
            return found.status, found.data

        yield sent
        pool.clear()


@pytest.mark.parametrize("row", rows(), ids=lambda row: str(row.row))
def test_the_embedded_api_answers_the_same(row: Row, request_of: Request) -> None:
    run(row, request_of)


@pytest.mark.parametrize(
    "expected",
    [
        {"code": 404},
        {"code": 200, "has": {"kind": "PodList"}},
        {"code": 200, "has": {"metadata": {"none": "*"}}},
        {"code": 200, "has": {"items": [{}]}},
        {"code": 200, "has": {"kind": "~Pod"}},
    ],
)
def test_an_answer_that_differs_is_seen(request_of: Request, expected: dict[str, Any]) -> None:
    step = Step.model_validate({"do": "GET $core/secrets", **expected})
    with pytest.raises(DiffersError):
        run(Row(row="a", says="b", steps=(step,)), request_of)

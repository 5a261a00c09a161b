"""Compare a server with the rows: `python -m tests.parity [--kubeconfig FILE]`.

Without a kubeconfig the embedded platform is brought up. The exit code is 1 where a row differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes

from tests.embedded import announced
from tests.parity.rows import DiffersError, Request, rows, run


@contextmanager
def _server(kubeconfig: Path | None) -> Iterator[Request]:
    if kubeconfig is None:
        with announced.running("embedded", "up", "--json") as up, _client(up["kubeconfig"]) as sent:
            yield sent
    else:
        with _client(str(kubeconfig)) as sent:
            yield sent


@contextmanager
def _client(kubeconfig: str) -> Iterator[Request]:
    connect: Any = kubernetes.config.new_client_from_config
    with connect(kubeconfig) as client:
        settings, pool = client.configuration, client.rest_client.pool_manager
        own = {
            item["key"]: item["value"]
            for item in settings.auth_settings().values()
            if item["in"] == "header"
        }

        def sent(
            method: str, path: str, body: bytes | None, headers: dict[str, str]
        ) -> tuple[int, bytes]:
            url = f"{settings.host}{path}"
            found = pool.request(method, url, body=body, headers=own | headers, timeout=30)
            return found.status, found.data

        yield sent


def main() -> int:
    parser = argparse.ArgumentParser(prog="tox -e api-parity --", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, metavar="FILE")
    options = parser.parse_args()
    differing = 0
    with _server(options.kubeconfig) as request:
        for row in rows():
            try:
                run(row, request)
            except DiffersError as error:
                differing += 1
                print(f"differs  {row.row}: {row.says}\n         {error}", flush=True)
            else:
                print(f"same     {row.row}: {row.says}", flush=True)
    print(f"{len(rows()) - differing} rows the same, {differing} differ")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())

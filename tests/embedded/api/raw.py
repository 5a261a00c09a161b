"""A plain HTTP client, for what the official one hides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@dataclass(frozen=True)
class Answer:
    """A response."""

    code: int
    body: Any
    headers: urllib3.HTTPHeaderDict

    @property
    def version(self) -> str:
        return str(self.body["metadata"]["resourceVersion"])

    @property
    def reason(self) -> str:
        return str(self.body["reason"])

    @property
    def message(self) -> str:
        return str(self.body["message"])


class Raw:
    """Requests to one server with one token."""

    def __init__(self, url: str, ca: Path, token: str) -> None:
        self._pool = urllib3.PoolManager(ca_certs=str(ca), timeout=60, retries=False, maxsize=8)
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def close(self) -> None:
        self._pool.clear()

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        kind: str = "application/json",
        accept: str = "application/json",
        upgrade: str = "",
        more: Any = None,
        **query: Any,
    ) -> Answer:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        headers = {**self._headers, **(more or {}), "Accept": accept}
        if upgrade:
            headers |= {"Connection": "Upgrade", "Upgrade": upgrade}
        if data is not None:
            headers["Content-Type"] = kind
        url = f"{self._url}{path}" + (f"?{urlencode(query)}" if query else "")
        found = self._pool.request(method, url, body=data, headers=headers)
        typed = found.headers.get("Content-Type", "").startswith("application/json")
        return Answer(found.status, json.loads(found.data) if typed else found.data, found.headers)

    def get(self, path: str, **query: Any) -> Answer:
        return self("GET", path, **query)

    def post(self, path: str, body: Any, **query: Any) -> Answer:
        return self("POST", path, body, **query)

    def put(self, path: str, body: Any, **query: Any) -> Answer:
        return self("PUT", path, body, **query)

    def delete(self, path: str, body: Any = None, **query: Any) -> Answer:
        return self("DELETE", path, body, **query)

    def patch(self, path: str, body: Any, kind: str = MERGE, **query: Any) -> Answer:
        return self("PATCH", path, body, kind=kind, **query)

    def apply(self, path: str, body: Any, manager: str = "me", **query: Any) -> Answer:
        return self("PATCH", path, body, kind=APPLY, fieldManager=manager, **query)

    def watch(self, path: str, accept: str = "application/json", **query: Any) -> Iterator[Any]:
        """The events until the server ends the stream, or the caller stops."""
        url = f"{self._url}{path}?{urlencode({'watch': 1, 'timeoutSeconds': 50, **query})}"
        headers = {**self._headers, "Accept": accept}
        found = self._pool.request("GET", url, headers=headers, preload_content=False)
        try:
            if found.status != 200:
                yield {"type": "REFUSED", "code": found.status, "object": json.loads(found.read())}
                return
            rest = b""
            for piece in found.stream(65536):
                *lines, rest = (rest + piece).split(b"\n")
                yield from (json.loads(line) for line in lines if line)
        finally:
            found.close()

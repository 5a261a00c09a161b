"""Who is let in to the kubelet's API."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web

from embedded import pki
from embedded.node.behaviour import NodeBehaviour
from embedded.node.kubelet.server import KubeletServer
from tests.ports import reserved_port

TOKEN = "sesame"
PATHS = [
    "/healthz",
    "/exec/ns/p/c?command=true",
    "/portForward/ns/p?port=1",
    "/containerLogs/ns/p/c",
    "/nowhere",
]


class NoPods:
    """A node on which nothing runs."""

    def runner(self, *_: str) -> Any:
        raise LookupError("no such container")

    sandbox = runner


async def serve(directory: Path, port: int) -> web.AppRunner:
    pair = pki.Authority("test").issue(["127.0.0.1"])
    (directory / "crt").write_text(pair.certificate)
    (directory / "key").write_text(pair.key)
    config = SimpleNamespace(
        address="127.0.0.1",
        kubelet_port=port,
        certificate=directory / "crt",
        key=directory / "key",
        token=TOKEN,
    )
    server = KubeletServer(cast(Any, config), cast(Any, None), NoPods(), NodeBehaviour())
    return await server.start()


async def ask(port: int, path: str, header: bytes) -> int:
    """The code of the answer to a GET with one more header."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    head = f"GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n".encode()
    writer.write(head + header + b"\r\n")
    status = await asyncio.wait_for(reader.readline(), 60)
    writer.close()
    return int(status.split()[1])


def answers(directory: Path, header: bytes) -> list[int]:
    async def run(port: int) -> list[int]:
        runner = await serve(directory, port)
        try:
            return [await ask(port, path, header) for path in PATHS]
        finally:
            await runner.cleanup()

    with reserved_port() as port:
        return asyncio.run(run(port))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Authorization: Bearer\r\n",
        b"Authorization: Bearer other\r\n",
        b"Authorization: Basic sesame\r\n",
        b"Authorization: sesame\r\n",
        b"Authorization: Bearer \xff\xfe\r\n",
    ],
)
def test_without_the_token_everything_is_401(tmp_path: Path, header: bytes) -> None:
    assert answers(tmp_path, header) == [401] * len(PATHS)


def test_with_the_token_one_is_let_in(tmp_path: Path) -> None:
    found = answers(tmp_path, f"Authorization: Bearer {TOKEN}\r\n".encode())
    assert found == [200, 404, 404, 404, 404]

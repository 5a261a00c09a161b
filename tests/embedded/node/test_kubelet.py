"""Who is let in to the kubelet's API."""

from __future__ import annotations

import asyncio
import gc
import ssl
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvloop
from aiohttp import web

from embedded import pki
from embedded.node.behaviour import NodeBehaviour
from embedded.node.kubelet.server import KubeletServer, serve
from tests.ports import reserved_port

TOKEN = "sesame"
SOCKET = "kubelet"
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


async def started(directory: Path, port: int) -> web.AppRunner:
    pair = pki.Authority("test").issue(["127.0.0.1"])
    (directory / "crt").write_text(pair.certificate)
    (directory / "key").write_text(pair.key)
    config = SimpleNamespace(
        address="127.0.0.1",
        kubelet_port=port,
        certificate=directory / "crt",
        key=directory / "key",
        socket=directory / SOCKET,
        token=TOKEN,
    )
    server = KubeletServer(cast(Any, config), cast(Any, None), NoPods(), NodeBehaviour())
    return await server.start()


async def ask(where: int | Path, path: str, header: bytes) -> int:
    """The code of the answer to a GET with one more header, from a port or a socket file."""
    if isinstance(where, Path):
        reader, writer = await asyncio.open_unix_connection(where)
    else:
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        reader, writer = await asyncio.open_connection("127.0.0.1", where, ssl=tls)
    head = f"GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n".encode()
    writer.write(head + header + b"\r\n")
    status = await asyncio.wait_for(reader.readline(), 60)
    writer.close()
    return int(status.split()[1])


def answers(header: bytes) -> list[int]:
    """The codes of the answers to all paths, the same at the port and at the socket file."""

    async def run(directory: Path, port: int) -> tuple[list[int], list[int]]:
        runner = await started(directory, port)
        try:
            there = [await ask(port, path, header) for path in PATHS]
            return there, [await ask(directory / SOCKET, path, header) for path in PATHS]
        finally:
            await runner.cleanup()

    # The path of a socket may be a hundred characters long, not more.
    with tempfile.TemporaryDirectory() as directory, reserved_port() as port:
        there, here = asyncio.run(run(Path(directory), port))
    assert there == here
    return there


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
def test_without_the_token_everything_is_401(header: bytes) -> None:
    assert answers(header) == [401] * len(PATHS)


def test_with_the_token_one_is_let_in() -> None:
    found = answers(f"Authorization: Bearer {TOKEN}\r\n".encode())
    assert found == [200, 404, 404, 404, 404]


def test_the_socket_file_outlives_collections_of_cycles() -> None:
    header = f"Authorization: Bearer {TOKEN}\r\n".encode()

    async def run(directory: Path, port: int) -> int:
        serving = asyncio.create_task(serve(await started(directory, port)))
        await asyncio.sleep(0)
        gc.collect()
        # What was collected closes in the loop's next turns.
        await ask(port, "/healthz", header)
        code = await ask(directory / SOCKET, "/healthz", header)
        serving.cancel()
        await asyncio.wait([serving])
        return code

    with tempfile.TemporaryDirectory() as directory, reserved_port() as port:
        assert uvloop.run(run(Path(directory), port)) == 200

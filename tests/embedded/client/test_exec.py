"""Exec through the API server, to a kubelet that behaves as each test wants."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web

from embedded.client import (
    PODS,
    SERVICEACCOUNTS,
    Client,
    ExecResult,
    Json,
    NotFound,
    Unreachable,
)
from embedded.client.execution import PROTOCOLS
from tests.embedded.client.api_process import api_server

DEADLINE = 60.0
Command = Callable[[web.Request, web.WebSocketResponse], Awaitable[None]]
Call = Callable[[Client], Awaitable[ExecResult]]

SUCCESS: Json = {"kind": "Status", "status": "Success"}


def failure(code: int) -> Json:
    cause = {"reason": "ExitCode", "message": str(code)}
    message = f"command terminated with non-zero exit code: {code}"
    return {"status": "Failure", "message": message, "details": {"causes": [cause]}}


async def say(stream: web.WebSocketResponse, channel: int, content: bytes) -> None:
    await stream.send_bytes(bytes([channel]) + content)


async def end(stream: web.WebSocketResponse, status: Json) -> None:
    await say(stream, 3, json.dumps(status).encode())


@dataclass(frozen=True)
class Place:
    """An API server that sends exec to the address that `kubelet` listens on."""

    kubeconfig: Path
    kubelet: socket.socket


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as kubelet:
        address = f"http://127.0.0.1:{kubelet.getsockname()[1]}"
        with api_server(tmp_path_factory.mktemp("api"), kubelet=address) as api:
            asyncio.run(make_pod(api.kubeconfig))
            yield Place(api.kubeconfig, kubelet)


async def make_pod(kubeconfig: Path) -> None:
    async with Client.from_kubeconfig(kubeconfig) as client:
        account = {"metadata": {"name": "default"}, "kind": "ServiceAccount", "apiVersion": "v1"}
        await client.create(SERVICEACCOUNTS, account, "default")
        spec = {"containers": [{"name": "main", "image": "i"}], "nodeName": "n"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
        await client.create(PODS, pod, "default")


def execute(place: Place, command: Command, call: Call) -> ExecResult:
    """Run a call while the kubelet answers with `command`."""

    async def serve(request: web.Request) -> web.WebSocketResponse:
        stream = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=0)
        await stream.prepare(request)
        await command(request, stream)
        await stream.close()
        return stream

    async def main() -> ExecResult:
        app = web.Application()
        app.router.add_route("*", "/exec/default/p/main", serve)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.SockSite(runner, place.kubelet.dup()).start()
            async with Client.from_kubeconfig(place.kubeconfig) as client:
                return await asyncio.wait_for(call(client), DEADLINE)
        finally:
            await runner.cleanup()

    return asyncio.run(main())


def test_both_outputs_and_the_exit_code_come_back(place: Place) -> None:
    async def command(request: web.Request, stream: web.WebSocketResponse) -> None:
        assert request.query.getall("command") == ["sh", "-c", "a b"]
        await say(stream, 1, b"out")
        await say(stream, 2, b"err")
        await say(stream, 1, b"put")
        await end(stream, failure(7))

    result = execute(
        place, command, lambda client: client.exec("default", "p", "main", ["sh", "-c", "a b"])
    )
    assert (result.code, result.stdout, result.stderr) == (7, b"output", b"err")
    assert "exit code: 7" in result.error


def test_input_of_any_size_arrives_whole_and_ends(place: Place) -> None:
    content = bytes(range(256)) * 20_000

    async def command(_: web.Request, stream: web.WebSocketResponse) -> None:
        digest = hashlib.sha256()
        async for message in stream:
            assert message.type is WSMsgType.BINARY
            if message.data[0] == 255:
                break
            digest.update(message.data[1:])
        await say(stream, 1, digest.hexdigest().encode())
        await end(stream, SUCCESS)

    result = execute(
        place, command, lambda client: client.exec("default", "p", "main", ["sum"], content)
    )
    assert (result.code, result.stdout.decode()) == (0, hashlib.sha256(content).hexdigest())


def test_a_command_that_cannot_run_says_why(place: Place) -> None:
    async def command(_: web.Request, stream: web.WebSocketResponse) -> None:
        await end(stream, {"status": "Failure", "message": "no such file"})

    result = execute(place, command, lambda client: client.exec("default", "p", "main", ["x"]))
    assert (result.code, result.error) == (-1, "no such file")


def test_a_connection_that_ends_early_is_no_success(place: Place) -> None:
    async def command(_: web.Request, stream: web.WebSocketResponse) -> None:
        await say(stream, 1, b"half")

    with pytest.raises(Unreachable, match="before the command's status"):
        execute(place, command, lambda client: client.exec("default", "p", "main", ["x"]))


def test_a_command_that_takes_too_long_is_given_up(place: Place) -> None:
    async def command(_: web.Request, stream: web.WebSocketResponse) -> None:
        await stream.receive()

    with pytest.raises(Unreachable, match="exec x in default/p/main"):
        execute(
            place,
            command,
            lambda client: client.exec("default", "p", "main", ["x"], timeout=0.2),
        )


def test_a_pod_that_is_not_there_is_not_found(place: Place) -> None:
    async def command(_: web.Request, stream: web.WebSocketResponse) -> None:
        await end(stream, SUCCESS)

    with pytest.raises(NotFound):
        execute(place, command, lambda client: client.exec("default", "none", "main", ["x"]))

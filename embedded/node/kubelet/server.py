"""The kubelet's HTTPS API, which the API server proxies to."""

from __future__ import annotations

import asyncio
import hmac
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from aiohttp import web

from embedded.node.behaviour import NodeBehaviour
from embedded.node.config import NodeConfig
from embedded.node.kubelet.attachment import attach
from embedded.node.kubelet.channels import PROTOCOLS, new_socket
from embedded.node.kubelet.execution import Command, cut_off, run_command
from embedded.node.kubelet.forwarding import forward
from embedded.node.kubelet.stdio import RequestedStreams
from embedded.node.logs.reader import LogOptions, read_log
from embedded.node.logs.writer import ContainerLog
from embedded.node.pods.container import ContainerRunner, NotStartedError
from embedded.node.pods.state import Waiting
from embedded.runtime.model import Sandbox
from embedded.runtime.runtime import Runtime

_LONGEST_LINE = 1 << 20
"""Bytes of a URL: commands of any length are in it."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pods(Protocol):
    """The containers and sandboxes that the API gives access to."""

    def runner(self, namespace: str, pod: str, container: str) -> ContainerRunner:
        """Return a container. Raises LookupError or NotStartedError, which say what is missing."""

    def sandbox(self, namespace: str, pod: str) -> Sandbox:
        """Return a Pod's sandbox. Raises LookupError, which says what is not there."""


class KubeletServer:
    """Serves exec, port-forward and logs to bearers of the configured token."""

    def __init__(
        self, config: NodeConfig, runtime: Runtime, pods: Pods, behaviour: NodeBehaviour
    ) -> None:
        self._config = config
        self._runtime = runtime
        self._pods = pods
        self._behaviour = behaviour

    async def start(self) -> web.AppRunner:
        """Listen on the node's address and socket file. Raises OSError.

        Clean the answer up to stop.
        """
        app = web.Application(middlewares=[self._admit])
        container = "/{namespace}/{pod}/{container}"
        app.router.add_get("/healthz", self._health)
        app.router.add_get(f"/exec{container}", self._exec)
        app.router.add_get(f"/attach{container}", self._attach)
        app.router.add_get("/portForward/{namespace}/{pod}", self._forward)
        app.router.add_get(f"/containerLogs{container}", self._logs)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=1.0, max_line_size=_LONGEST_LINE
        )
        await runner.setup()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self._config.certificate, self._config.key)
        address, port = self._config.address, self._config.kubelet_port
        await web.TCPSite(runner, address, port, ssl_context=tls).start()
        # The API server's way: handshakes would be most of what a short command costs.
        await web.UnixSite(runner, self._config.socket).start()
        return runner

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        # A header may hold any bytes.
        shown = given.encode(errors="surrogateescape")
        if not hmac.compare_digest(shown, f"Bearer {self._config.token}".encode()):
            raise web.HTTPUnauthorized(text="Unauthorized")
        try:
            return await handler(request)
        except LookupError as error:
            raise web.HTTPNotFound(text=str(error.args[0])) from error
        except (ValueError, NotStartedError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error

    async def _health(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text="ok")

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        argv = request.query.getall("command", [])
        if not argv:
            raise ValueError("you must specify at least 1 command to execute")
        runner = self._runner(request)
        running = runner.running
        if running is None:
            raise LookupError(f'container not found ("{runner.state.name}")')
        command = Command(
            process=running.process,
            argv=argv,
            environment=running.launch.environment,
            cwd=running.launch.cwd,
        )
        socket = new_socket(*PROTOCOLS)
        await socket.prepare(request)
        if self._behaviour.cuts_off(argv):
            await cut_off(socket)
        else:
            await run_command(self._runtime, command, _wanted(request), socket)
        await socket.close()
        return socket

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        log = _chosen_log(self._runner(request), request)
        socket = new_socket(*PROTOCOLS)
        await socket.prepare(request)
        await attach(log, socket)
        await socket.close()
        return socket

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        ports = [
            int(port)
            for name in ("port", "ports")
            for given in request.query.getall(name, [])
            for port in given.split(",")
        ]
        if not ports:
            raise ValueError("you must specify at least 1 port to forward")
        sandbox = self._pods.sandbox(request.match_info["namespace"], request.match_info["pod"])
        socket = new_socket(PROTOCOLS[1], "portforward.k8s.io")
        await socket.prepare(request)
        await forward(self._runtime, sandbox, ports, socket)
        await socket.close()
        return socket

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        options = _log_options(request)
        log = _chosen_log(self._runner(request), request)
        answer = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        await answer.prepare(request)
        async for piece in read_log(log, options):
            await answer.write(piece)
        await answer.write_eof()
        return answer

    def _runner(self, request: web.Request) -> ContainerRunner:
        where = request.match_info
        return self._pods.runner(where["namespace"], where["pod"], where["container"])


async def serve(runner: web.AppRunner) -> None:
    """Serve what was started until cancelled.

    With uvloop a server at a socket file lives as long as somebody holds it.
    """
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _flag(request: web.Request, *names: str) -> bool:
    return any(request.query.get(name, "").lower() in ("1", "true") for name in names)


def _wanted(request: web.Request) -> RequestedStreams:
    # The API's names and the kubelet's own.
    return RequestedStreams(
        stdin=_flag(request, "stdin", "input"),
        stdout=_flag(request, "stdout", "output"),
        stderr=_flag(request, "stderr", "error"),
        tty=_flag(request, "tty"),
    )


def _log_options(request: web.Request) -> LogOptions:
    query = request.query
    since = None
    if "sinceSeconds" in query:
        since = time.time_ns() - int(query["sinceSeconds"]) * 10**9
    elif "sinceTime" in query:
        since = int(datetime.fromisoformat(query["sinceTime"]).timestamp() * 10**9)
    return LogOptions(
        follow=_flag(request, "follow"),
        timestamps=_flag(request, "timestamps"),
        tail_lines=int(query["tailLines"]) if "tailLines" in query else None,
        limit_bytes=int(query["limitBytes"]) if "limitBytes" in query else None,
        since=since,
    )


def _chosen_log(runner: ContainerRunner, request: web.Request) -> ContainerLog:
    name, pod = runner.state.name, request.match_info["pod"]
    if not _flag(request, "previous"):
        if runner.logs:
            return runner.logs[-1]
        raise NotStartedError(name, pod, getattr(runner.state.now, "reason", "ContainerCreating"))
    if isinstance(runner.state.now, Waiting) and runner.logs:
        return runner.logs[-1]
    if len(runner.logs) < 2:
        raise ValueError(f'previous terminated container "{name}" in pod "{pod}" not found')
    return runner.logs[-2]

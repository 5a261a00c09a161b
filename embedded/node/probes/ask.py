"""Asking a container once: by a command inside, by a connection, or by an HTTP request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from embedded.client import Json
from embedded.node.probes.spec import Answer, Probe
from embedded.runtime.model import BoxError, Streams
from embedded.runtime.runtime import Process, Runtime

_SHOWN = 1024  # bytes of a probe's output that are told
_START = 120.0  # seconds in which a command starts: as long as a kubelet waits for its runtime


@dataclass(frozen=True, kw_only=True)
class Target:
    """The container that is asked."""

    runtime: Runtime
    process: Process
    container: Json
    environment: Mapping[str, str]
    cwd: str
    address: str


async def ask(probe: Probe, target: Target) -> Answer:
    """Run `probe` once against `target`; never raises for what the container does."""
    command = probe.action.get("exec")
    try:
        if command is not None:
            return await _run(command.get("command") or [], target, probe.timeout)
        async with asyncio.timeout(probe.timeout):
            return await _ask(probe.action, target)
    except TimeoutError:
        return Answer(ok=False, text=f"no answer within {probe.timeout:g} s")
    except (OSError, BoxError, asyncio.IncompleteReadError, ValueError) as error:
        return Answer(ok=False, text=str(error) or type(error).__name__)


async def _ask(action: Json, target: Target) -> Answer:
    if "tcpSocket" in action:
        return await _connect(action["tcpSocket"], target)
    if "httpGet" in action:
        return await _get(action["httpGet"], target)
    return Answer(ok=False, text="the probe has no exec, tcpSocket or httpGet")


async def _run(command: list[str], target: Target, timeout: float) -> Answer:
    # A file in memory holds the output: nothing to read while it runs, and nothing can block.
    output = os.memfd_create("probe", os.MFD_CLOEXEC)
    try:
        # The time counts once the command runs, as in a container runtime: a machine that starts
        # processes slowly does not make a container unhealthy.
        async with asyncio.timeout(_START):
            process = await target.runtime.exec(
                target.process,
                command,
                env=target.environment,
                cwd=target.cwd,
                streams=Streams(stdout=output, stderr=output),
            )
        try:
            async with asyncio.timeout(timeout):
                status = await process.wait()
        except (asyncio.CancelledError, TimeoutError):
            process.signal(signal.SIGKILL)
            raise
        text = os.pread(output, _SHOWN, 0).decode(errors="replace").strip()
        return Answer(ok=status.code == 0, text=text or f"exit code {status.code}")
    finally:
        os.close(output)


async def _connect(action: Json, target: Target) -> Answer:
    _, writer = await asyncio.open_connection(_host(action, target), _port(action, target))
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return Answer(ok=True)


async def _get(action: Json, target: Target) -> Answer:
    host, port = _host(action, target), _port(action, target)
    tls = _unverified() if action.get("scheme") == "HTTPS" else None
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    try:
        writer.write(_request(action, f"{host}:{port}"))
        line = (await reader.readline()).decode("latin-1").split(" ", 2)
        if len(line) < 2 or not line[1].isdigit():
            return Answer(ok=False, text="the answer is not HTTP")
        code = int(line[1])
        return Answer(ok=200 <= code < 400, text=f"HTTP probe failed with statuscode: {code}")
    finally:
        writer.transport.abort()


def _request(action: Json, host: str) -> bytes:
    headers = {"Host": host, "User-Agent": "kube-probe/1.34", "Connection": "close"}
    headers |= {h["name"]: h["value"] for h in action.get("httpHeaders") or []}
    lines = [
        f"GET {action.get('path') or '/'} HTTP/1.1",
        *(f"{k}: {v}" for k, v in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _unverified() -> ssl.SSLContext:
    """Return a context that takes any certificate, as a kubelet's probes do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _host(action: Json, target: Target) -> str:
    return str(action.get("host") or target.address)


def _port(action: Json, target: Target) -> int:
    port = action["port"]
    if isinstance(port, int) or str(port).isdigit():
        return int(port)
    for known in target.container.get("ports") or []:
        if known.get("name") == port:
            return int(known["containerPort"])
    raise ValueError(f"container {target.container['name']!r} has no port named {port!r}")

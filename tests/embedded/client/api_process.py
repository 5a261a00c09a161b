"""Starts the API server as a process of its own, with an authority made for the occasion."""

from __future__ import annotations

import base64
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded.pki import Authority

TOKEN = "the-administrator"
START_DEADLINE = 60.0


@dataclass(frozen=True, kw_only=True)
class ApiProcess:
    """A server that runs: its kubeconfig, and the process to stop or to restart."""

    kubeconfig: Path
    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def api_server(
    folder: Path,
    listener: socket.socket | None = None,
    *,
    keep: bool = False,
    kubelet: str | None = None,
) -> Iterator[ApiProcess]:
    """Serve the API on a free port of 127.0.0.1 until the block ends.

    With `keep`, the certificates that an earlier server left in the folder are used again.
    `kubelet` is the address that exec is sent to.
    """
    listener = listener or socket.create_server(("127.0.0.1", 0))
    with listener:
        port = listener.getsockname()[1]
        kubeconfig = folder / "kubeconfig" if keep else _write_settings(folder, port, kubelet)
        process = _start(folder, listener)
    try:
        yield ApiProcess(kubeconfig=kubeconfig, port=port, process=process)
    finally:
        process.kill()
        process.wait(timeout=60)


def _start(folder: Path, listener: socket.socket) -> subprocess.Popen[bytes]:
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "embedded.api", "--listen-fd", str(listener.fileno())]
    command += ["--state-dir", str(folder), "--ready-fd", str(writer)]
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(
            command, pass_fds=(listener.fileno(), writer), stdout=log, stderr=log
        )
    os.close(writer)
    ready, _, _ = select.select([reader], [], [], START_DEADLINE)
    said = os.read(reader, 1) if ready else b""
    os.close(reader)
    if not said:
        process.kill()
        process.wait(timeout=60)
        lines = (folder / "api.log").read_text().splitlines()
        raise RuntimeError(f"the API server did not start: {lines[-1:]}")
    return process


def _write_settings(folder: Path, port: int, kubelet: str | None) -> Path:
    authority = _make_certificates(folder)
    settings: dict[str, object] = {
        "ca": "ca.crt",
        "certificate": "tls.crt",
        "key": "tls.key",
        "tokens": [{"token": TOKEN, "user": "admin", "groups": ["system:masters"]}],
    }
    if kubelet:
        settings["kubelet"] = {"url": kubelet, "ca": "ca.crt", "token": "the-api-server"}
    (folder / "api.json").write_text(json.dumps(settings))
    cluster = {
        "server": f"https://127.0.0.1:{port}",
        "certificate-authority-data": base64.b64encode(authority.encode()).decode(),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return path


def _make_certificates(folder: Path) -> str:
    authority = Authority("test authority")
    pair = authority.issue(["localhost", "127.0.0.1"])
    (folder / "ca.crt").write_text(authority.certificate)
    (folder / "tls.crt").write_text(pair.certificate)
    (folder / "tls.key").write_text(pair.key)
    return authority.certificate

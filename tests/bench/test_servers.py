"""Which processes are a real API server's is told by who listens, and by what it was told."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench.figures import BenchError
from tests.bench.servers import real_processes

_LISTENS = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.listen(); input()"


@contextmanager
def _listening(name: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """A process of another name that listens; gives its PID and its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, descriptor = server.getsockname()[1], server.fileno()
        running = subprocess.Popen(
            [name, "-c", _LISTENS, str(descriptor), *arguments],
            executable=sys.executable,
            stdin=subprocess.PIPE,
            pass_fds=[descriptor],
        )
    with running:
        yield running.pid, port
        running.communicate(b"\n")


def _kubeconfig(folder: Path, server: str) -> Path:
    file = folder / "kubeconfig"
    named = {"name": "it", "context": {"cluster": "it", "user": "it"}}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [named],
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "users": [{"name": "it", "user": {"token": "token"}}],
    }
    file.write_text(json.dumps(config), encoding="utf-8")
    return file


def test_etcd_counts_with_its_server(tmp_path: Path) -> None:
    with (
        _listening("etcd") as (etcd, port),
        _listening("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{port}") as (server, at),
    ):
        file = _kubeconfig(tmp_path, f"https://127.0.0.1:{at}")
        assert real_processes(file) == {server, etcd}


def test_proxy_before_a_server_is_refused(tmp_path: Path) -> None:
    with _listening("docker-proxy") as (_, port):
        file = _kubeconfig(tmp_path, f"https://127.0.0.1:{port}")
        with pytest.raises(BenchError, match="is no kube-apiserver"):
            real_processes(file)


def test_server_elsewhere_is_refused(tmp_path: Path) -> None:
    file = _kubeconfig(tmp_path, "https://192.0.2.1:6443")
    with pytest.raises(BenchError, match=r"192\.0\.2\.1 is not this machine"):
        real_processes(file)

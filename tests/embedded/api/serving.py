"""Starts the API server as a process of its own, on a free port, with certificates made here."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes
import yaml

from embedded.pki import Authority

TOKEN = "admin-token"


@dataclass(frozen=True)
class Certificates:
    """PEM files of an authority and of a serving certificate for 127.0.0.1."""

    ca: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    authority = Authority("test-ca")
    pair = authority.issue(["localhost", "127.0.0.1"])
    made = Certificates(folder / "ca.crt", folder / "tls.crt", folder / "tls.key")
    made.ca.write_text(authority.certificate)
    made.certificate.write_text(pair.certificate)
    made.key.write_text(pair.key)
    return made


@dataclass(frozen=True)
class Running:
    """A server that serves, and how to reach it."""

    url: str
    ca: Path
    kubeconfig: Path
    pid: int

    def client(self, token: str = TOKEN) -> Any:
        """The official client's connection."""
        settings = kubernetes.client.Configuration(host=self.url)
        settings.ssl_ca_cert = str(self.ca)
        settings.api_key = {"authorization": f"Bearer {token}"}
        return kubernetes.client.ApiClient(settings)


@contextmanager
def running(folder: Path, **config: Any) -> Iterator[Running]:
    """The server, from ready to ended."""
    made = make_certificates(folder)
    told = {
        "ca": str(made.ca),
        "certificate": str(made.certificate),
        "key": str(made.key),
        "tokens": [{"token": TOKEN, "user": "admin", "groups": ["system:masters"]}],
        **config,
    }
    (folder / "api.json").write_text(json.dumps(told))
    ready, tell = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        os.set_inheritable(listener.fileno(), True)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "embedded.api", "--state-dir", str(folder)),
                *("--listen-fd", str(listener.fileno()), "--ready-fd", str(tell)),
            ],
            pass_fds=[listener.fileno(), tell],
        )
    os.close(tell)
    try:
        assert os.read(ready, 100) == b"ready\n"
        os.close(ready)
        url = f"https://127.0.0.1:{port}"
        yield Running(url, made.ca, _kubeconfig(folder, url, made.ca), process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _kubeconfig(folder: Path, url: str, ca: Path) -> Path:
    cluster = {"server": url, "certificate-authority": str(ca)}
    target = folder / "kubeconfig"
    target.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "test", "cluster": cluster}],
                "users": [{"name": "test", "user": {"token": TOKEN}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                "current-context": "test",
            }
        )
    )
    return target


def dynamic(client: Any) -> Any:
    """The official client for kinds that it has no types for."""
    return kubernetes.dynamic.DynamicClient(client)  # type: ignore[no-untyped-call]

"""Starts the API server as a process of its own, with an authority made for the occasion."""

from __future__ import annotations

import base64
import datetime
import ipaddress
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

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TOKEN = "the-administrator"
START_DEADLINE = 30.0


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
        process.wait(timeout=10)


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
        process.wait(timeout=10)
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
        "certificate-authority-data": base64.b64encode(authority).decode(),
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


def _make_certificates(folder: Path) -> bytes:
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name.from_rfc4514_string("CN=test authority")
    ca = (
        _builder(issuer, issuer, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = (
        _builder(x509.Name.from_rfc4514_string("CN=api"), issuer, key)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.crt").write_bytes(ca.public_bytes(pem))
    (folder / "tls.crt").write_bytes(leaf.public_bytes(pem))
    (folder / "tls.key").write_bytes(private)
    return ca.public_bytes(pem)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
    )

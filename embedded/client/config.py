"""Address of the API server and credentials: from a kubeconfig file or from inside a Pod."""

from __future__ import annotations

import base64
import binascii
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from embedded.client.errors import ConfigError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, kw_only=True)
class ClientConfig:
    """Address of the API server (`https://host:port`), its CA as PEM, and a bearer token."""

    server: str
    ca: str
    token: str
    namespace: str = "default"

    def tls(self) -> ssl.SSLContext:
        """Make the TLS context that trusts the CA and nothing else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.ca)
        return context


def from_kubeconfig(path: Path | str) -> ClientConfig:
    """Read the current context of a kubeconfig file. Raises ConfigError."""
    where = Path(path)
    try:
        document = yaml.safe_load(where.read_text())
        context = _named(document, "contexts", "context", document["current-context"])
        cluster = _named(document, "clusters", "cluster", context["cluster"])
        user = _named(document, "users", "user", context["user"])
        return ClientConfig(
            server=cluster["server"].rstrip("/"),
            ca=_authority(cluster, where.parent),
            token=_token(user, where.parent),
            namespace=context.get("namespace") or "default",
        )
    except OSError as error:
        raise ConfigError(f"kubeconfig {where}: {error.strerror or error}") from error
    except (KeyError, TypeError, ValueError, binascii.Error, yaml.YAMLError) as error:
        raise ConfigError(f"kubeconfig {where} is malformed: {error!r}") from error


def in_cluster() -> ClientConfig:
    """Read what a kubelet gives a Pod with a service account. Raises ConfigError."""
    try:
        host = os.environ["KUBERNETES_SERVICE_HOST"]
        port = os.environ["KUBERNETES_SERVICE_PORT"]
        return ClientConfig(
            server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
            ca=(SERVICE_ACCOUNT / "ca.crt").read_text(),
            token=(SERVICE_ACCOUNT / "token").read_text().strip(),
            namespace=(SERVICE_ACCOUNT / "namespace").read_text().strip(),
        )
    except KeyError as error:
        raise ConfigError(f"not inside a Pod: {error.args[0]} is not set") from error
    except OSError as error:
        raise ConfigError(f"not inside a Pod: {error}") from error


def _named(document: Any, section: str, field: str, name: str) -> dict[str, Any]:
    for entry in document[section]:
        if entry["name"] == name:
            found: dict[str, Any] = entry[field]
            return found
    raise ValueError(f"{section} has no {name!r}")


def _authority(cluster: dict[str, Any], base: Path) -> str:
    if "certificate-authority-data" in cluster:
        return base64.b64decode(cluster["certificate-authority-data"]).decode()
    return Path(base, cluster["certificate-authority"]).read_text()


def _token(user: dict[str, Any], base: Path) -> str:
    if "tokenFile" in user:
        return Path(base, user["tokenFile"]).read_text().strip()
    token: str = user["token"]
    return token

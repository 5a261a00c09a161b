"""The settings of the API server: `api.json`, written by whoever starts it."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class ConfigError(Exception):
    """`api.json` cannot be used; the message is one line that names the file and the field."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Token(_Model):
    """One bearer token and the user it stands for."""

    token: str = Field(min_length=1)
    user: str = Field(min_length=1)
    groups: tuple[str, ...] = ()


class Kubelet(_Model):
    """The node's own HTTPS API, for exec, logs and port-forward."""

    url: str = Field(pattern=r"^https?://")
    """Base address, such as `https://10.244.0.1:10250`."""
    ca: Path
    """PEM file with the authority that signed the node's serving certificate."""
    token: str
    """Bearer token that the node accepts."""
    socket: Path | None = None
    """Socket file of the same API, without TLS; taken rather than the address where it is named."""


class ApiConfig(_Model):
    """The contents of `api.json`. Relative paths are taken from the file's own folder."""

    ca: Path
    """PEM file with the authority of the serving certificate."""
    certificate: Path
    """PEM file with the serving certificate, leaf first."""
    key: Path
    """PEM file with its private key."""
    tokens: tuple[Token, ...] = ()
    """Static bearer tokens; ServiceAccount tokens that the server issues are accepted besides."""
    kubelet: Kubelet | None = None
    """Without it exec, logs and port-forward answer 503."""
    service_network: IPv4Network = IPv4Network("10.96.0.0/16")
    """The network of the addresses of Services."""
    issuer: str = "https://kubernetes.default.svc.cluster.local"
    """Issuer and default audience of ServiceAccount tokens."""


def load(folder: Path) -> ApiConfig:
    """Read `api.json` in the folder; raises ConfigError."""
    file = folder / "api.json"
    try:
        config = ApiConfig.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise ConfigError(f"{file}: {where}: {first['msg']}") from error
    return _absolute(config, folder)


def _absolute(config: ApiConfig, folder: Path) -> ApiConfig:
    paths = {name: folder / getattr(config, name) for name in ("ca", "certificate", "key")}
    kubelet = config.kubelet
    if kubelet is not None:
        own = {"ca": folder / kubelet.ca}
        if kubelet.socket is not None:
            own["socket"] = folder / kubelet.socket
        kubelet = kubelet.model_copy(update=own)
    return config.model_copy(update={**paths, "kubelet": kubelet})

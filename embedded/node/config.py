"""What the node is told at its start: one JSON file, written by the launcher.

Everything the node needs to know about its surroundings stands here; it reads no environment
variable and guesses no path.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError


class ConfigError(Exception):
    """The configuration cannot be used; the message names file and field."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageConfig(_Model):
    """What an image says about its containers, as an OCI image's config does."""

    uid: int = 0
    gid: int = 0
    env: dict[str, str] = Field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = "/"


class Image(_Model):
    """One row of the image table: which references this root file system stands in for."""

    pattern: str  # shell pattern over the whole reference; the first row that matches is taken
    rootfs: Path
    digest: str  # "sha256:…" of the recipe's result: becomes containerStatuses[].imageID
    recipe: str = ""
    config: ImageConfig = Field(default_factory=ImageConfig)


class KubeletApi(_Model):
    """The HTTPS API that the API server proxies to. Listens on the node's address."""

    port: int = 10250
    certificate: Path
    key: Path
    token: Path  # file with the one bearer token that is let in


class PodAccess(_Model):
    """How a Pod reaches the API server: what its service account volume holds."""

    ca: Path
    token: Path
    service_address: IPv4Address = IPv4Address("10.96.0.1")
    service_port: int = 443
    endpoint_port: int = 6443  # on the node's address


class BackOff(_Model):
    """Delay before a container is started again; the first restart is at once. Seconds."""

    first: PositiveFloat = 1.0
    limit: PositiveFloat = 300.0
    reset_after: PositiveFloat = 600.0


class NodeConfig(_Model):
    """The node's configuration."""

    node_name: str = "box"
    kubeconfig: Path
    spawner_socket: Path
    state_dir: Path  # inside the box, on its tmpfs: volumes, roots, everything that dies with it
    log_dir: Path  # outside: outlives the box
    address: IPv4Address = IPv4Address("10.244.0.1")  # of the bridge: DNS, kubelet API, gateway
    pod_network: IPv4Network = IPv4Network("10.244.0.0/16")
    cluster_domain: str = "cluster.local"
    kubelet: KubeletApi
    pod_access: PodAccess
    images: tuple[Image, ...] = ()
    back_off: BackOff = Field(default_factory=BackOff)
    log_limit: int = 16 * 1024 * 1024  # bytes of one container's log before it is rotated once
    faults: frozenset[str] = frozenset()

    def image_for(self, reference: str) -> Image | None:
        """Return the first row of the table that matches `reference`, or None."""
        return next((i for i in self.images if fnmatchcase(reference, i.pattern)), None)


def load_config(path: Path) -> NodeConfig:
    """Read and validate `path`; ConfigError names the file and each wrong field."""
    try:
        return NodeConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()
        )
        raise ConfigError(f"{path}: {wrong}") from error

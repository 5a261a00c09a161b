"""The settings of the node: those that the launcher hands to it, as one JSON file, and its own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embedded.images.model import Image, ImageConfig, ImageRule

_PATHS = (
    *("kubeconfig", "spawner", "state_dir", "log_dir"),
    *("certificate", "key", "ca", "socket", "tools"),
)


class ConfigError(Exception):
    """The configuration cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class NodeConfig:
    """The settings that the launcher hands to the node's agent.

    Paths are the box's. `state_dir` is memory and dies with the box; `log_dir` outlives it.
    Serve the kubelet's API on `address`:`kubelet_port` with `certificate` and `key`, and without
    TLS at the file `socket`, to bearers of `token`. `tools` is a root file system that holds nft.
    """

    name: str
    kubeconfig: Path
    spawner: Path
    state_dir: Path
    log_dir: Path
    address: str
    pod_network: str
    service_network: str
    cluster_domain: str
    kubelet_port: int
    certificate: Path
    key: Path
    ca: Path
    socket: Path
    token: str
    images: tuple[ImageRule, ...]
    tools: Path
    lease_seconds: float = 40.0
    """How long the node's Lease lasts; it is renewed four times in that time."""

    def dump(self) -> str:
        """Return the settings as JSON text."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def load(cls, path: Path) -> NodeConfig:
        """Read what `dump` wrote. Raises OSError, KeyError or ValueError."""
        data: dict[str, Any] = json.loads(path.read_text())
        for key in _PATHS:
            data[key] = Path(data[key])
        data["images"] = tuple(_rule(row) for row in data["images"])
        return cls(**data)


@dataclass(frozen=True, kw_only=True)
class BackOff:
    """The delay before the next start of a container that ended, in seconds.

    The first restart is at once, as on a kubelet; then the delay doubles from `first` up to
    `most`. A kubelet begins at 10 s: here waiting would show nothing more.
    """

    first: float = 1.0
    most: float = 300.0
    reset_after: float = 600.0

    def delay(self, restarts: int) -> float:
        """Return the delay before restart number `restarts`, counted from 0."""
        return 0.0 if restarts == 0 else min(self.first * 2 ** min(restarts - 1, 32), self.most)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds that the node keeps by itself."""

    back_off: BackOff = BackOff()
    log_bytes: int = 16 * 1024 * 1024
    """Of one container's log, before its older half is moved aside and the one before dropped."""


def load_config(path: Path) -> NodeConfig:
    """Read `path`, which the launcher wrote. Raises ConfigError."""
    try:
        return NodeConfig.load(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: is not JSON: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from error


def _rule(row: dict[str, Any]) -> ImageRule:
    image = row["image"]
    words = {name: tuple(image["config"][name]) for name in ("entrypoint", "command")}
    config = image["config"] | words
    layers = tuple(Path(layer) for layer in image["layers"])
    more = {"layers": layers, "indexes": tuple(image["indexes"])}
    fields = image | more | {"config": ImageConfig(**config)}
    return ImageRule(pattern=row["pattern"], image=Image(**fields))

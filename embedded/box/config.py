"""The settings that the launcher hands to the node's agent, as one JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embedded.images.model import Image, ImageConfig, ImageRule

_PATHS = ("kubeconfig", "spawner", "state_dir", "log_dir", "certificate", "key", "ca", "tools")


@dataclass(frozen=True, kw_only=True)
class NodeConfig:
    """What the node's agent needs to know of the world it was put into.

    Paths are the box's. `state_dir` is memory and dies with the box; `log_dir` outlives it.
    Serve the kubelet's API on `address`:`kubelet_port` with `certificate` and `key`, to bearers of
    `token`. `tools` is a root file system that holds nft. `faults` are the names of the node's own
    deliberate breaches, normally none.
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
    token: str
    images: tuple[ImageRule, ...]
    tools: Path
    faults: tuple[str, ...] = ()

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
        data["faults"] = tuple(data["faults"])
        return cls(**data)


def _rule(row: dict[str, Any]) -> ImageRule:
    image = row["image"]
    config = image["config"] | {"command": tuple(image["config"]["command"])}
    layers = tuple(Path(layer) for layer in image["layers"])
    fields = image | {"layers": layers, "config": ImageConfig(**config)}
    return ImageRule(pattern=row["pattern"], image=Image(**fields))

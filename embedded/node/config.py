"""How the node reads its configuration, and what it settles for itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from embedded.box.config import NodeConfig


class ConfigError(Exception):
    """The configuration cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class BackOff:
    """How long a container that ended waits for its next start, in seconds.

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

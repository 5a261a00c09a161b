"""The specification of a platform: what the launcher brings up, and how it speaks to its user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from embedded.box.keeper import Lifetime
from embedded.images.table import ImageTable, no_images


@dataclass(frozen=True, kw_only=True)
class Program:
    """A Python program: `arguments` are what `main` of `MODULE.__main__` finds on its command line.

    The module is one that is found beside this package, or installed where it is.
    """

    module: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Specification:
    """A platform to bring up.

    `images` is the table of images for Pods. `bundle` renders the YAML of what the user may install
    on the platform; it is called once the platform serves, and nothing is installed by itself.
    `node` is the node's agent, which is also given `--config` and a file. Logs stay in `log_dir`;
    without one they go with the platform. With `speak_json` the launcher writes lines of JSON and
    takes commands as lines of JSON, without it writes for people. `lifetime` says when it ends.
    A node that gives no sign of life for `node_lease_seconds` is NotReady.
    """

    images: ImageTable = no_images
    bundle: Callable[[], str] | None = None
    node: Program = Program(module="embedded.node")
    log_dir: Path | None = None
    lifetime: Lifetime = field(default_factory=Lifetime)
    speak_json: bool = False
    node_lease_seconds: float = 40.0

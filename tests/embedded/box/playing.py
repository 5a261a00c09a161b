"""Play a scene in a box, and return its result."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.embedded.box.modes import Mode


def play(mode: Mode, scene: Callable[..., Any], *arguments: str) -> Any:
    """Play `scene` in a box of its own, in `mode`; returns what it returned."""
    command = ["-m", "tests.embedded.box.scene", scene.__module__, scene.__name__, *arguments]
    done = mode.run(command)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

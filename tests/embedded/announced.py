"""The lines that `python -m embedded up --json` writes on its standard output."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def announced(lines: Iterable[str]) -> dict[str, Any]:
    """Return the line that announces the platform, without progress before it.

    Raises EOFError where the launcher ends without having said so.
    """
    for line in lines:
        said: dict[str, Any] = json.loads(line)
        if "progress" not in said:
            return said
    raise EOFError("the launcher ended before anything was up")

"""Terminals as those see them who hold the other end."""

from __future__ import annotations

import os
from contextlib import suppress


def read_to_end(terminal: int) -> bytes:
    """Return all that is shown until every program has closed its end."""
    shown = b""
    # At its end, a terminal fails with EIO.
    with suppress(OSError):
        while more := os.read(terminal, 4096):
            shown += more
    return shown

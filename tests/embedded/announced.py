"""A platform that a launcher keeps up, and the lines that it writes on its standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

_DOWN_SECONDS = 90


@contextmanager
def running(*arguments: str) -> Iterator[dict[str, Any]]:
    """Keep a platform up by `python -m` with these arguments; gives what its launcher says."""
    launcher = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert launcher.stdin is not None
    assert launcher.stdout is not None
    try:
        yield announced(launcher.stdout)
    finally:
        launcher.stdin.close()
        launcher.stdout.close()
        launcher.wait(_DOWN_SECONDS)


def announced(lines: Iterable[str]) -> dict[str, Any]:
    """Return the line that announces the platform, without progress before it.

    Raises EOFError where the launcher ends without having said so.
    """
    for line in lines:
        said: dict[str, Any] = json.loads(line)
        if "progress" not in said:
            return said
    raise EOFError("the launcher ended before anything was up")

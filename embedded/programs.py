"""Programs that the platform runs and does not bring along: how to get one that is missing."""

from __future__ import annotations

_ELSEWHERE = {
    "bwrap": "apt-get install bubblewrap",
    "flock": "apt-get install util-linux",
    "uv": "pip install uv",
}


def missing(program: str) -> str:
    """Say that `program` is not installed, and what to do, as the end of an error's line."""
    return f"{program} is not installed: {_ELSEWHERE.get(program, f'apt-get install {program}')}"

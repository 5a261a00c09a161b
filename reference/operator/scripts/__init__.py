"""What runs in the containers, as ConfigMaps carry it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def script(name: str) -> str:
    """The text of one of the scripts beside this module."""
    return files(__package__).joinpath(name).read_text()

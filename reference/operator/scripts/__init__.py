"""The scripts that run in the containers, as ConfigMaps carry them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def script(name: str) -> str:
    """Return the text of one of the scripts beside this module."""
    return files(__package__).joinpath(name).read_text()

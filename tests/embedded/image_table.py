"""The image table of the platforms that these tests bring up."""

from __future__ import annotations

from pathlib import Path

from embedded.images import store, table
from embedded.images.cache import cache_directory
from embedded.images.file import load
from embedded.images.model import Image
from embedded.images.tools import TOOLS

FILE = Path(__file__).with_name("images.yaml")
OPTIONS = ("--images", str(FILE))
FIRST = "example/first:1"
SECOND = "example/second:1"


def first() -> Image:
    """The image of FIRST."""
    release = store.host_release()
    return table.build(load(FILE)(release), release, cache_directory())[0].image


def tools() -> Image:
    """The box's own image."""
    return store.ensure(TOOLS, store.host_release(), cache_directory())

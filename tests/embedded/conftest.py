"""Tests of box and container runtime are run in each mode that can be tried."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded import image_table
from tests.embedded.box import modes
from tests.embedded.box.modes import Mode


@pytest.fixture(scope="session")
def images() -> None:
    """Build what is missing once, before any test waits for it."""
    image_table.tools()
    image_table.first()


@pytest.fixture(scope="session")
def ordinary_home(images: None) -> Iterator[Path]:
    """A home that the ordinary user can reach, unlike pytest's own temporary directories."""
    home = Path(tempfile.mkdtemp(prefix="pg-tls-test-home-", dir="/var/tmp"))
    try:
        modes.give_home(home)
        yield home
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session", params=modes.names())
def mode(request: pytest.FixtureRequest, images: None) -> Mode:
    """As root and as an ordinary user."""
    if request.param == "user" and os.geteuid() == 0:
        return Mode("user", request.getfixturevalue("ordinary_home"))
    return Mode(request.param)

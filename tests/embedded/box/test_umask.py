"""A strict umask makes no difference: what is made has the mode that others need to use it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL

import pytest

from embedded.images.tools import NFT
from tests.embedded.box.modes import Mode

STRICT = """
import os, sys
os.umask(int(sys.argv[1], 8))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
# What Python itself would write beside its sources, the next one could not read.
NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.parametrize("umask", ["027", "077", "777"])
def test_it_comes_up_whatever_the_umask(mode: Mode, umask: str) -> None:
    done = mode.run(
        ["-c", STRICT, umask, "-m", "embedded", "up", "--json"], NO_BYTECODE, stdin=DEVNULL
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["kubeconfig"]


@pytest.fixture
def cache(mode: Mode) -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(dir=mode.temporary))
    if mode.home is not None:
        shutil.chown(directory, mode.home.stat().st_uid)
    yield directory
    shutil.rmtree(directory)


@pytest.mark.parametrize("umask", ["077"])
def test_images_are_made_whatever_the_umask(mode: Mode, cache: Path, umask: str) -> None:
    """In a cache that is closed to others at first; and a platform comes up with them."""
    command = ["-m", "tests.embedded.box.fresh_cache", str(cache)]
    done = mode.run(["-c", STRICT, umask, *command, "images"], NO_BYTECODE)
    assert done.returncode == 0, done.stderr
    (program,) = cache.rglob(f"*{NFT}")
    assert program.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o055 for path in program.parents if cache in path.parents} == {
        0o055
    }
    up = mode.run(["-c", STRICT, umask, *command, "up", "--json"], NO_BYTECODE, stdin=DEVNULL)
    assert up.returncode == 0, up.stderr

"""The cache of images: its directory, its keys, and the lock for building."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from embedded.images.recipe import DebianRelease, Layer, Recipe
from embedded.programs import missing

_log = logging.getLogger(__name__)

# To be raised when the builder itself makes something else of the same recipe.
FORMAT = 3
LOCK_SECONDS = 900
_LOCK_MARGIN = 5
_STILL_LOCKED = 75
UNUSED_DAYS = 30
# What a directory's name ends in while an image is made in it.
ASIDE = ".building"
_REMOVALS = 10
_OPEN = 0o005


class ImageError(Exception):
    """An image could not be made; the text is one line: what, why, where to look."""


def cache_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the directory of the cache: the user's own, or the system's for root.

    Root's home is closed to the uid that the box is mapped to, so root's cache is not there.
    """
    if os.geteuid() == 0:
        return Path("/var/cache/pg-tls-conformance")
    base = environment.get("XDG_CACHE_HOME", "")
    home = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return home / "pg-tls-conformance"


def key(recipe: Recipe, release: DebianRelease) -> str:
    """Return the hex SHA-256 over everything that the content of the image follows from.

    Raises ImageError where a file that the recipe names cannot be read.
    """
    described = asdict(recipe) | {
        "files": [(file.target, file.mode, _digest(file.source)) for file in recipe.files],
        "wheels": recipe.wheels
        and (recipe.wheels.target, recipe.wheels.python, _digest(recipe.wheels.lock)),
    }
    made_of = {"name": release.name, "python": release.python}
    parts = [FORMAT, platform.machine(), made_of, described]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def layer_key(layer: Layer) -> str:
    """Return the hex SHA-256 over everything that the content of the layer itself follows from.

    Raises ImageError where a file that it names cannot be read.
    """
    files = [(name, _is_executable(path), _digest(path)) for name, path in layer.files]
    parts = [FORMAT, layer.directory, layer.commands, files]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ImageError(f"images: {file}: cannot be read: {error.strerror}") from error


def _is_executable(file: Path) -> bool:
    return os.access(file, os.X_OK)


@contextmanager
def building(cache: Path, patience: int = LOCK_SECONDS) -> Iterator[int]:
    """Hold the cache's lock, so that no two runs build at once; clear what a killed one left.

    Gives the lock's descriptor: it is held for as long as any process has that open. Raises
    ImageError when the cache cannot be written, or another run holds it for more than `patience`
    seconds.
    """
    handle = _open(cache)
    try:
        _lock(handle, cache, patience)
        for leftover in (*cache.glob(f"*{ASIDE}"), *_unused(cache)):
            _remove(leftover)
        yield handle
    except OSError as error:
        raise ImageError(f"images: {cache}: {error}") from error
    finally:
        os.close(handle)


def make_directory(cache: Path) -> None:
    """Make the cache, if it is not there. Raises ImageError."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0 and cache.stat().st_mode & _OPEN != _OPEN:
            # Root's box reads it as another uid.
            cache.chmod(0o755)
    except OSError as error:
        raise _unwritable(cache, error) from error


def _open(cache: Path) -> int:
    make_directory(cache)
    try:
        return os.open(cache / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(cache, error) from error


def _unwritable(cache: Path, error: OSError) -> ImageError:
    reason = f"images: {cache} cannot be written: {error.strerror}"
    return ImageError(f"{reason}; make it writable, or fill it with the images that are missing")


def _remove(leftover: Path) -> None:
    """Remove a directory that may be written to for a last time: by processes killed just now."""
    for attempt in range(1, _REMOVALS + 1):
        try:
            shutil.rmtree(leftover)
        except OSError as error:
            if attempt == _REMOVALS:
                text = f"images: {leftover} cannot be removed: {error.strerror}; remove it"
                raise ImageError(text) from error
        else:
            return


def _lock(handle: int, cache: Path, patience: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _log.info("images: waiting for another run that builds in %s", cache)
        _wait_for_lock(handle, cache, patience)


def _wait_for_lock(handle: int, cache: Path, patience: int) -> None:
    # As a program, for a time limit: a call of our own could not be broken off.
    limits = (f"--timeout={patience}", f"--conflict-exit-code={_STILL_LOCKED}")
    bound = ("setpriv", "--pdeathsig", "KILL", "--")
    command = [*bound, "flock", "--exclusive", *limits, str(handle)]
    try:
        done = subprocess.run(
            command,
            pass_fds=[handle],
            capture_output=True,
            text=True,
            timeout=patience + _LOCK_MARGIN,
            check=False,
        )
    except FileNotFoundError as error:
        raise ImageError(f"images: {missing('flock')}") from error
    except subprocess.TimeoutExpired as error:
        raise ImageError(_still_building(cache, patience)) from error
    if done.returncode == _STILL_LOCKED:
        raise ImageError(_still_building(cache, patience))
    if done.returncode != 0:
        raise ImageError(f"images: {cache}/lock: flock: {done.stderr.strip()}")


def _still_building(cache: Path, patience: int) -> str:
    text = f"images: another run has been building in {cache} for {patience} s"
    return f"{text}; wait for it, or end it"


def used(image: Path) -> None:
    """Note that `image` is in use today."""
    # Only whoever may write the cache forgets what is not in use.
    with suppress(OSError):
        os.utime(image)


def images(cache: Path) -> list[Path]:
    """Return the directories of all images that are there."""
    found = (path for path in cache.glob("*-*-*") if path.suffix != ASIDE and path.is_dir())
    return sorted(found)


def _unused(cache: Path) -> list[Path]:
    limit = time.time() - UNUSED_DAYS * 24 * 3600
    return [image for image in images(cache) if image.stat().st_mtime < limit]

"""Recipes: what goes into an image.

A recipe is data, and with the content of the files that it names it is the key of the cache: to
change an image is to change its recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embedded.images.model import ImageConfig


@dataclass(frozen=True, kw_only=True)
class DebianRelease:
    """One Debian release, by its code name; `python` is the version of its package python3.

    The lists of packages of one that is not released yet expire within a week.
    """

    name: str
    python: str
    is_released: bool = True


RELEASES = {
    release.name: release
    for release in (
        DebianRelease(name="bookworm", python="3.11"),
        DebianRelease(name="trixie", python="3.13"),
        DebianRelease(name="forky", python="3.14", is_released=False),
    )
}

# mmdebstrap's variant "extract" implies nothing, not even a shell.
BASE_PACKAGES = (
    "bash",
    "coreutils",
    "dash",
    "findutils",
    "gawk",
    "grep",
    "hostname",
    "libc-bin",
    "procps",
    "sed",
)
"""A shell, and the programs that shell scripts count on."""
BASE_PRUNE = ("boot", "usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*", "var/cache/*")
"""Parts of packages that no container needs."""
BASE_LINKS = (("/usr/bin/awk", "gawk"), ("/usr/bin/sh", "/bin/sh"), ("/usr/bin/bash", "/bin/bash"))
"""Links that maintainer scripts would have made, and paths that differ between the releases."""
BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Account:
    """One line of /etc/passwd, and of /etc/group with the same number."""

    name: str
    uid: int
    home: str = "/"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of the image: a copy of `source` at the absolute path `target`."""

    target: str
    source: Path
    mode: int = 0o755


@dataclass(frozen=True, kw_only=True)
class Wheels:
    """Python packages at `target`: those of `lock`, a requirements file with hashes.

    They are wheels for the version `python` of CPython, such as "3.11", on this machine.
    """

    lock: Path
    target: str
    python: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The making of a root file system.

    `packages` are all Debian packages that must be there, but for their dependencies: a shell is
    none. `accounts` are there besides root and nobody. `prune` are shell patterns, relative to the
    root, of what is thrown away. `links` are pairs of name and target. `commands` run inside, as
    `config`'s user; so do `versions`, each of which prints one line that says what the image holds.
    """

    name: str
    packages: tuple[str, ...]
    config: ImageConfig
    accounts: tuple[Account, ...] = ()
    prune: tuple[str, ...] = BASE_PRUNE
    directories: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = BASE_LINKS
    files: tuple[File, ...] = ()
    wheels: Wheels | None = None
    commands: tuple[tuple[str, ...], ...] = ()
    versions: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Files laid over an image: for what changes more often than packages do.

    `files` are pairs of a path below `directory`, which the recipe below has, and the file to copy
    there. `commands` run inside as root, and may write below `directory`.
    """

    name: str
    directory: str
    files: tuple[tuple[str, Path], ...]
    commands: tuple[tuple[str, ...], ...] = ()

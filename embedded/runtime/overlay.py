"""Overlays: a writable root over the layers of an image (Documentation/filesystems/overlayfs)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embedded import syscalls

_DIRECTORIES = ("upper", "work", "merged")


def prepare(directory: Path) -> Path:
    """Make what an overlay needs under `directory`; returns where to mount it. Raises OSError."""
    for name in _DIRECTORIES:
        (directory / name).mkdir(parents=True)
    return directory / "merged"


def options(layers: Sequence[Path], directory: Path) -> str:
    """Return the mount options of an overlay over `layers` that writes under `directory`.

    Who is root in a user namespace only may use no other extended attributes than the user's.
    """
    lower = ":".join(_escaped(layer) for layer in layers)
    return f"userxattr,lowerdir={lower},upperdir={directory}/upper,workdir={directory}/work"


def try_one(directory: Path) -> None:
    """See that overlays can be mounted. Raises OSError."""
    merged = str(prepare(directory))
    lower = directory / "lower"
    lower.mkdir()
    syscalls.mount("overlay", merged, "overlay", options=options([lower], directory))
    syscalls.unmount(merged)


def _escaped(layer: Path) -> str:
    # The kernel parts the options at commas and the lower directories at colons.
    text = str(layer)
    for character in "\\:,":
        text = text.replace(character, f"\\{character}")
    return text

"""The machine's own system: which Debian release images are made of there, and by which keys."""

from __future__ import annotations

from pathlib import Path

from embedded.images.cache import ImageError
from embedded.images.recipe import RELEASES, DebianRelease
from embedded.programs import missing

OS_RELEASE = Path("/etc/os-release")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# The oldest: also the keys that Ubuntu 22.04 has for Debian's archive sign it.
_ELSEWHERE = RELEASES["bookworm"]
_FAMILY = {"debian", "ubuntu"}


def host_release(os_release: Path = OS_RELEASE, keyring: Path = KEYRING) -> DebianRelease:
    """Return the Debian release whose packages images are made of on this machine.

    That is the machine's own, or Debian 12 on Ubuntu and whatever else is like Debian: its
    packages are then had from Debian's public archive. Raises ImageError where neither can be.
    """
    fields = _fields(os_release)
    name = fields.get("VERSION_CODENAME", "")
    if name in RELEASES:
        return RELEASES[name]
    seen = fields.get("PRETTY_NAME") or name or "an unknown system"
    if not _FAMILY & _family(fields):
        known = ", ".join(RELEASES)
        text = f"images: made of Debian's packages, {known}; this is {seen}"
        raise ImageError(f"{text}: use kind or another cluster")
    if not keyring.exists():
        text = f"images: made of Debian's packages on {seen}, for which"
        raise ImageError(f"{text} {missing('debian-archive-keyring')}")
    return _ELSEWHERE


def keyring_options(os_release: Path = OS_RELEASE) -> tuple[str, ...]:
    """Return mmdebstrap's options for a machine whose apt does not trust Debian by itself."""
    if _fields(os_release).get("ID") == "debian":
        return ()
    return (f"--keyring={KEYRING}",)


def _fields(os_release: Path) -> dict[str, str]:
    lines = os_release.read_text().splitlines() if os_release.exists() else []
    parts = (line.partition("=") for line in lines)
    return {name.strip(): value.strip().strip("\"'") for name, _, value in parts}


def _family(fields: dict[str, str]) -> set[str]:
    return {fields.get("ID", ""), *fields.get("ID_LIKE", "").split()}

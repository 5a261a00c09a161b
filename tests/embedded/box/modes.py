"""The two ways in which the platform runs: as root, and as an ordinary user."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded.images.cache import cache_directory
from embedded.images.owners import BOX_UID

# The owner of root's images, which need not be copied then.
ORDINARY_UID = BOX_UID
SECONDS = 120


@dataclass(frozen=True)
class Mode:
    """Return the command line for one of them; `home` is for the user's bytecode and such."""

    name: str
    home: Path | None = None

    def popen(
        self, arguments: Sequence[str], env: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Start `python ARGUMENTS` there, with pipes for its streams."""
        command = [sys.executable, *arguments]
        environment = dict(os.environ)
        if self.home is not None:
            command = [sys.executable, "-m", __package__ + ".as_user", str(ORDINARY_UID), *command]
            environment |= {
                "HOME": str(self.home),
                "XDG_CACHE_HOME": str(self.home / "cache"),
                "PYTHONPYCACHEPREFIX": str(self.home / "bytecode"),
                "TMPDIR": str(self.home / "tmp"),
            }
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen(
            command, text=True, env=environment | dict(env or {}), **(pipes | options)
        )

    def run(
        self, arguments: Sequence[str], env: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run `python ARGUMENTS` there, to its end."""
        with self.popen(arguments, env, **options) as process:
            try:
                stdout, stderr = process.communicate(timeout=SECONDS)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    @property
    def temporary(self) -> Path:
        """The parent of this mode's temporary directories."""
        return Path(os.environ.get("TMPDIR", "/tmp")) if self.home is None else self.home / "tmp"


def names() -> list[str]:
    """The modes that can be tried: an ordinary user cannot become root."""
    return ["root", "user"] if os.geteuid() == 0 else ["user"]


def give_home(home: Path) -> None:
    """Make a home for the ordinary user, who may be who we are, with a cache of our images."""
    cache = home / "cache" / "pg-tls-conformance"
    for directory in (home, home / "tmp", home / "bytecode", home / "cache", cache):
        directory.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            os.chown(directory, ORDINARY_UID, ORDINARY_UID)
    for image in cache_directory().glob("*-*-*"):
        # Files of such an image have owners that a user's box has not.
        if image.name.startswith("oci-"):
            continue
        (cache / image.name).symlink_to(image)

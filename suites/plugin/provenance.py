"""What judges: the suite's version, and the commit of the checkout that it lies in."""

import os
import subprocess
from pathlib import Path

from pg_tls_conformance import __version__
from reports.events import Suite

_SECONDS = 10


def suite_at(top: Path) -> Suite:
    """Name the suite whose files lie in a directory.

    Only a checkout of its own has a commit: an installed suite may lie within somebody else's
    repository, which says nothing of it.
    """
    if not (top / ".git").exists():
        return Suite(version=__version__)
    commit = _git(top, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return Suite(version=__version__)
    changes = _git(top, "status", "--porcelain")
    return Suite(
        version=__version__,
        commit=commit.strip(),
        dirty=None if changes is None else bool(changes.strip()),
    )


def _git(top: Path, *words: str) -> str | None:
    """Return what git says of that repository; None where there is no git, or no answer.

    Variables of git's own, which a hook has, speak of another repository. The owner of the files
    does not matter, for the suite is being run from them.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own = ["-c", "safe.directory=*", "-c", "core.fsmonitor=false"]
    try:
        ended = subprocess.run(
            ["git", "-C", str(top), *own, *words],  # noqa: S607 - the git of the user's PATH
            env={**kept, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout if ended.returncode == 0 else None

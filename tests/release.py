"""Make a version: `tox -e release` for the one that was begun, or `tox -e release -- 1.0.0`.

The fragments of `changelog.d` become an entry of `CHANGELOG.md`, and `pg_tls_conformance` gets the
version; both are committed and tagged, and the next version is begun. Nothing is pushed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[1]
REFUSED = 4
_SECONDS = 120


class RefusedError(Exception):
    """No version can be made here; the text says in a line why, and what to do."""


@dataclass(frozen=True)
class Project:
    """A checkout, and the programs that are run in it."""

    directory: Path

    def run(self, *command: str) -> str:
        """Run a program and return what it printed. Raises RefusedError with its last words."""
        try:
            return subprocess.run(
                command,
                cwd=self.directory,
                check=True,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
            ).stdout.strip()
        except FileNotFoundError:
            raise RefusedError(f"{command[0]} is not on PATH; install it") from None
        except subprocess.CalledProcessError as error:
            said = (error.stderr or error.stdout).strip().splitlines() or ["it said nothing"]
            raise RefusedError(f"{' '.join(command)}: {said[-1]}") from error

    def python(self, module: str, *words: str) -> str:
        """Run a module of this environment as a program."""
        return self.run(sys.executable, "-m", module, *words)

    @property
    def version(self) -> Version:
        """The version that the package has."""
        return Version(self.python("hatchling", "version"))

    @property
    def fragments(self) -> list[Path]:
        """The changes since the version before."""
        return sorted((self.directory / "changelog.d").glob("*.md"))


def make(project: Project, wanted: str | None) -> str:
    """Make a version and begin the next one; returns the tag. Raises RefusedError."""
    version = _checked(project, wanted)
    tag = f"v{version}"
    if project.run("git", "status", "--porcelain"):
        raise RefusedError("there are changes that are not committed; commit or stash them")
    if project.run("git", "tag", "--list", tag):
        raise RefusedError(f"the tag {tag} is there already; give a later version")
    if not project.fragments:
        raise RefusedError("changelog.d has no fragment: nothing has changed for users")
    if project.version != version:
        project.python("hatchling", "version", str(version))
    project.python("towncrier", "build", "--yes", "--version", str(version))
    project.run("git", "add", "--all")
    project.run("git", "commit", "--message", f"Release {version}")
    project.run("git", "tag", "--annotate", tag, "--message", f"Release {version}")
    project.python("hatchling", "version", "minor,dev")
    project.run("git", "commit", "--all", "--message", f"Begin {project.version.base_version}")
    return tag


def _checked(project: Project, wanted: str | None) -> Version:
    present = project.version
    try:
        version = Version(wanted or present.base_version)
    except InvalidVersion:
        raise RefusedError(f"{wanted} is no version; give it as 1.2.3") from None
    if str(version) != version.base_version or len(version.release) != 3:
        raise RefusedError(f"{wanted} is no version to be released; give it as 1.2.3")
    if version < present:
        raise RefusedError(f"{version} is older than {present}; give a later one")
    return version


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a version; returns the exit code."""
    parser = argparse.ArgumentParser(prog="tox -e release --", description=__doc__)
    parser.add_argument("version", nargs="?", help="such as 1.2.3 (default: the one begun)")
    parser.add_argument("--directory", type=Path, default=ROOT, help="the checkout (default: this)")
    options = parser.parse_args(arguments)
    try:
        tag = make(Project(options.directory), options.version)
    except RefusedError as error:
        print(f"release: {error}", file=sys.stderr)
        return REFUSED
    print(f"{tag} is committed and tagged, and the next version begun. To publish it:")
    print(f"  git push origin HEAD {tag}")
    print(f"  git checkout {tag} && .venv/bin/tox -e build")
    return 0


if __name__ == "__main__":
    sys.exit(main())

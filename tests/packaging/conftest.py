"""The wheel and the sdist, built once, and environments that the wheel is installed into."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 180


def build(source: Path, target: Path, *formats: str) -> None:
    """Build what is asked for from a source tree, with the build backend of `pyproject.toml`."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(target)]
    command += [word for name in formats for word in ("--target", name)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=SECONDS)


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel and nothing of the checkout in it."""

    environment: Path
    directory: Path
    """The directory of its commands, which has no meaning."""

    @property
    def packages(self) -> Path:
        """The site-packages of the environment."""
        return next((self.environment / "lib").glob("python3.*/site-packages"))

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command that the wheel installs, as a user would."""
        return self.python(str(self.environment / "bin/pg-tls-conformance"), *words, **variables)

    def python(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python."""
        return subprocess.run(
            [str(self.environment / "bin/python"), *words],
            cwd=self.directory,
            env={"PATH": os.environ["PATH"], "HOME": str(self.directory), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the wheel and the sdist."""
    made = tmp_path_factory.mktemp("distributions")
    build(ROOT, made, "wheel", "sdist")
    return made


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    (found,) = distributions.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def sdist(distributions: Path) -> Path:
    (found,) = distributions.glob("*.tar.gz")
    return found


def make_environment(made: Path, package: str) -> Path:
    """Make a virtual environment with the package and what it names as needed, at our versions."""
    locked = ROOT / "requirements/conformance.txt"
    for words in (
        ["venv", "--python", sys.executable, str(made)],
        ["pip", "install", "--python", str(made), "--constraint", str(locked), package],
    ):
        command = [find_uv_bin(), "--quiet", *words]
        subprocess.run(command, cwd="/", check=True, timeout=SECONDS)
    return made


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, without extras."""
    return make_environment(tmp_path_factory.mktemp("environment") / "venv", str(wheel))


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Installed:
    return Installed(environment, tmp_path)


@pytest.fixture
def whole(wheel: Path, tmp_path: Path) -> Installed:
    """One that has the extra for the embedded platform, too."""
    directory = tmp_path / "directory"
    directory.mkdir()
    return Installed(make_environment(tmp_path / "venv", f"{wheel}[embedded]"), directory)

"""A version is made in a checkout: what is written, committed and tagged, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ("CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "pg_tls_conformance/__init__.py")
VERSION = "pg_tls_conformance/__init__.py"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on PATH")


def git(directory: Path, *words: str) -> str:
    made = ["git", "-c", "user.name=a", "-c", "user.email=a@example.test", *words]
    return subprocess.run(
        made, cwd=directory, check=True, capture_output=True, text=True, timeout=60
    ).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The parts of a version, with the version 3.4.0 begun and one change since 3.3.0."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    text = (tmp_path / "CHANGELOG.md").read_text()
    head = text.partition("<!-- towncrier release notes start -->")[0]
    (tmp_path / "CHANGELOG.md").write_text(
        f"{head}<!-- towncrier release notes start -->\n\n## 3.3.0 (2020-01-01)\n"
    )
    (tmp_path / VERSION).write_text('"""The version."""\n\n__version__ = "3.4.0.dev0"\n')
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d/+door.added.md").write_text("There is a door.\n")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "config", "user.name", "a")
    git(tmp_path, "config", "user.email", "a@example.test")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


def release(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.release", "--directory", str(checkout), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_the_version_that_was_begun_is_made(checkout: Path) -> None:
    ended = release(checkout)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "git push origin HEAD v3.4.0" in ended.stdout
    assert git(checkout, "tag").split() == ["v3.4.0"]
    assert git(checkout, "log", "--format=%s").splitlines() == [
        "Begin 3.5.0",
        "Release 3.4.0",
        "Begin",
    ]
    assert '__version__ = "3.4.0"\n' in git(checkout, "show", f"v3.4.0:{VERSION}")
    assert '__version__ = "3.5.0.dev0"\n' in (checkout / VERSION).read_text()
    log = git(checkout, "show", "v3.4.0:CHANGELOG.md")
    assert log.index("## 3.4.0 (20") < log.index("### Added") < log.index("- There is a door.")
    assert log.index("- There is a door.") < log.index("## 3.3.0")
    assert not list((checkout / "changelog.d").glob("*.md"))
    assert git(checkout, "status", "--porcelain") == ""


def test_another_version_may_be_given(checkout: Path) -> None:
    assert release(checkout, "4.0.0").returncode == 0
    assert git(checkout, "tag").split() == ["v4.0.0"]
    assert '"4.1.0.dev0"' in (checkout / VERSION).read_text()


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("3.3.9", "3.3.9 is older than 3.4.0.dev0; give a later one"),
        ("four", "four is no version; give it as 1.2.3"),
        ("4.0", "4.0 is no version to be released; give it as 1.2.3"),
        ("4.0.0rc1", "4.0.0rc1 is no version to be released; give it as 1.2.3"),
    ],
)
def test_a_wrong_version_is_refused(checkout: Path, version: str, said: str) -> None:
    refuses(checkout, said, version)


def test_what_is_not_committed_is_not_released(checkout: Path) -> None:
    (checkout / "changelog.d/+wall.added.md").write_text("There is a wall.\n")
    refuses(checkout, "there are changes that are not committed; commit or stash them")


def test_a_version_is_made_once(checkout: Path) -> None:
    git(checkout, "tag", "v3.4.0")
    refuses(checkout, "the tag v3.4.0 is there already; give a later version")


def test_without_a_change_there_is_no_version(checkout: Path) -> None:
    git(checkout, "rm", "--quiet", "changelog.d/+door.added.md")
    git(checkout, "commit", "--quiet", "--message", "Forget it")
    refuses(checkout, "changelog.d has no fragment: nothing has changed for users")


def refuses(checkout: Path, said: str, *words: str) -> None:
    before = git(checkout, "rev-parse", "HEAD")
    ended = release(checkout, *words)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == f"release: {said}\n"
    assert git(checkout, "rev-parse", "HEAD") == before


def test_each_fragment_is_of_a_kind_that_the_changelog_has() -> None:
    """A name that towncrier does not know would be left out of the changelog without a word."""
    for fragment in (ROOT / "changelog.d").glob("[!.]*"):
        assert fragment.suffixes[-2:-1] in (
            [".added"],
            [".changed"],
            [".fixed"],
            [".removed"],
        ), fragment.name

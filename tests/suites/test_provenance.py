"""What a report says of the suite that made it, and of how it was called."""

from __future__ import annotations

import re
import subprocess
from datetime import datetime
from pathlib import Path

from pg_tls_conformance import __version__
from suites.plugin.provenance import suite_at
from tests.suites.example import KEPT, Example


def git(top: Path, *words: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", "-C", str(top), *identity, *words], check=True, capture_output=True)


def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_a_checkout_is_named_by_its_commit_and_by_what_was_changed(tmp_path: Path) -> None:
    top = checkout(tmp_path)
    clean = suite_at(top)
    assert clean.version == __version__
    assert re.fullmatch("[0-9a-f]{40}", clean.commit or "")
    assert clean.dirty is False
    (top / "new").write_text("b")
    assert suite_at(top).dirty is True


def test_an_installed_suite_has_no_commit_of_those_around_it(tmp_path: Path) -> None:
    (checkout(tmp_path) / "site-packages").mkdir()
    inside = suite_at(tmp_path / "site-packages")
    assert (inside.version, inside.commit, inside.dirty) == (__version__, None, None)


def test_what_git_cannot_tell_is_left_open(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert suite_at(tmp_path).commit is None


def test_the_report_names_the_suite_and_the_command_line_and_its_times(tmp_path: Path) -> None:
    example = Example.make(checkout(tmp_path), KEPT)
    address = "https://someone:hunter2zz@example.org/bundle.yaml"
    ended = example.run("-k", "kept", f"--operator-bundle={address}")
    assert ended.run["suite"] == {
        "version": __version__,
        "commit": suite_at(tmp_path).commit,
        "dirty": True,
    }
    assert ended.run["command"] == [
        "pytest",
        "-k",
        "kept",
        "--operator-bundle=https://(hidden)@example.org/bundle.yaml",
    ]
    written = "".join(
        path.read_text() for path in (tmp_path / "report").rglob("*") if path.is_file()
    )
    assert "hunter2zz" not in written + ended.out
    assert f"commit {ended.run['suite']['commit'][:12]}, with changes" in ended.out
    for name in ("started", "finished"):
        assert ended.run[name].endswith("Z")
        assert datetime.fromisoformat(ended.run[name]).tzinfo is not None


def test_a_check_is_not_charged_for_what_it_waits_for(tmp_path: Path) -> None:
    waiting = '''
@requirement("AUTO-1")
def test_kept(request):
    """Waits for a stage."""
    request.node.user_properties.append(("waited", 100))


@requirement("AUTO-2a")
def test_kept_at_once():
    """Waits for nothing."""
'''
    ended = Example.make(tmp_path, waiting).run("-k", "kept")
    rows = {row["id"]: row["checks"] for row in ended.run["requirements"] if row["checks"]}
    ((waiting_check,), (other,)) = rows["AUTO-1"], rows["AUTO-2a"]
    assert (waiting_check["waited"], waiting_check["seconds"]) == (100, 0)
    assert other["waited"] == 0
    assert other["seconds"] > 0

"""The report directory: refused early where it cannot be written, cleared of an older run."""

import tempfile
from pathlib import Path

from fixtures.run.usage import UsageError
from suites.plugin.recording import JOURNAL, OURS


def refuse_unwritable(directory: Path) -> None:
    """Raise UsageError where the directory cannot be made or written; leaves nothing behind.

    It is tried rather than asked for: root is told that it may write where nobody can.
    """
    existing = directory
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise UsageError(f"--report-dir: {existing} is not a directory; choose another.")
    try:
        with tempfile.TemporaryFile(dir=existing):
            return
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"--report-dir: {existing} cannot be written ({reason}); choose another."
        ) from None


def clear_older(directory: Path, started: float) -> None:
    """Make the directory, and remove the report of a run before this one, and nothing else.

    Evidence that this run has written before its journal began is kept. What cannot be removed
    or made shows when the journal is written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not (directory / JOURNAL).is_file():
            return
        for name in OURS:
            (directory / name).unlink(missing_ok=True)
        _remove_older(directory / "evidence", started)
    except OSError:
        return


def _remove_older(evidence: Path, started: float) -> None:
    for path in sorted(evidence.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.lstat().st_mtime < started:
            path.unlink()

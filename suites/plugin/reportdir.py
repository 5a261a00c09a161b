"""The report directory: refused early where it cannot be written, cleared of an older run."""

import tempfile
from collections.abc import Collection
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


def clear_older(directory: Path, kept: Collection[Path]) -> None:
    """Make the directory, and remove the report of a run before this one, and nothing else.

    `kept` is the evidence that this run has written before its journal began. The old journal goes
    last: with it goes the sign that the rest is ours to remove. Raises OSError for what cannot be
    removed or made: what is left there would be taken for this run's.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / JOURNAL).is_file():
        return
    _remove_all_but(directory / "evidence", kept)
    for name in reversed(OURS):
        (directory / name).unlink(missing_ok=True)


def _remove_all_but(evidence: Path, kept: Collection[Path]) -> None:
    for path in sorted(evidence.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept:
            path.unlink()

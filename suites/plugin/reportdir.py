"""The report directory: refused early where it cannot be used, cleared of an older run."""

import fcntl
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from fixtures.run.usage import UsageError, reason
from reports import renderers
from suites.plugin.recording import JOURNAL

_SYSTEM = tuple(
    Path("/", name) for name in ("bin", "boot", "dev", "etc", "lib", "lib64", "sbin", "usr")
)
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # a file system like others, but for its place
_REPOSITORY = Path(__file__).resolve().parents[2]
_PASSED_OVER = frozenset({"lost+found", ".gitignore", ".gitkeep"})


def refuse_foreign(directory: Path, origin: str) -> None:
    """Raise UsageError for a directory that has, or is there for, something else than a report.

    A run removes an older report there, and fills the directory with files of common names.
    """
    place = directory.resolve()
    if place == Path(place.anchor):
        raise _foreign(origin, directory, "is the root of the file system")
    if place == _home():
        raise _foreign(origin, directory, "is your home")
    if _REPOSITORY.is_relative_to(place):
        raise _foreign(origin, directory, "holds the suite itself")
    shared = place != _SHARED_MEMORY and place.is_relative_to(_SHARED_MEMORY)
    if not shared and any(place.is_relative_to(folder) for folder in _SYSTEM):
        raise _foreign(origin, directory, "belongs to the system")
    others = _others_in(directory)
    if others:
        raise _foreign(origin, directory, f"holds {others[0]}, which is of no report")


def refuse_unwritable(directory: Path, origin: str) -> None:
    """Raise UsageError where the directory cannot be made or written; leaves nothing behind.

    It is tried rather than asked for: root is told that it may write where nobody can. `origin` is
    where the user named the directory.
    """
    existing = directory
    try:
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        if not existing.is_dir():
            raise UsageError(f"{origin}: {existing} is not a directory; choose another.")
        with tempfile.TemporaryDirectory(dir=existing) as trial:
            for name in directory.relative_to(existing).parts:
                if name != "..":
                    (Path(trial) / name).mkdir(exist_ok=True)
    except (OSError, ValueError) as error:  # the latter for a name that no file can have
        raise _unwritable(existing, origin, error) from None


@contextmanager
def locked(directory: Path, origin: str) -> Iterator[None]:
    """Make the directory, and keep other runs out of it.

    Raises UsageError where another run has it. What holds it is a lock on the directory itself,
    which ends with the process, however that ends. What was made and stayed empty is removed.
    """
    made: list[Path] = []
    try:
        for folder in (*reversed(directory.parents), directory):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                made.append(folder)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        _remove_empty(made)
        raise _unwritable(directory, origin, error) from None
    try:
        _lock(descriptor, directory, origin)
        try:
            yield
        finally:
            _remove_empty(made)
    finally:
        os.close(descriptor)


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
    for name in (*renderers.files(), JOURNAL):
        (directory / name).unlink(missing_ok=True)


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except RuntimeError:  # nobody knows whose process this is
        return None


def _others_in(directory: Path) -> list[str]:
    """Return the names of what is no part of a report, where there is no report either."""
    try:
        names = {path.name for path in directory.iterdir()}
    except OSError:  # it is not there, or is none, which is said elsewhere
        return []
    if JOURNAL in names:
        return []
    return sorted(names - _PASSED_OVER - {JOURNAL, "evidence", *renderers.files()})


def _foreign(origin: str, directory: Path, why: str) -> UsageError:
    return UsageError(
        f"{origin}: {directory} {why}; name a new or empty directory, or that of an older report."
    )


def _unwritable(path: Path, origin: str, error: Exception) -> UsageError:
    return UsageError(f"{origin}: {path} cannot be written ({reason(error)}); choose another.")


def _lock(descriptor: int, directory: Path, origin: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(
            f"{origin}: another run writes to {directory}; wait for its end, or choose another."
        ) from None
    except OSError:  # some network file systems lock no directory, which is no reason not to run
        return


def _remove_empty(made: Collection[Path]) -> None:
    for folder in reversed([*made]):
        try:
            folder.rmdir()
        except OSError:  # it is in use
            return


def _remove_all_but(evidence: Path, kept: Collection[Path]) -> None:
    for path in sorted(evidence.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept:
            path.unlink()

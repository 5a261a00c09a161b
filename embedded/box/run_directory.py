"""The directory of a run, outside the box: the kubeconfig, the bundle, logs."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from embedded.box.errors import BoxUnavailableError, WrongUseError
from embedded.box.keeper import Keeper, Lifetime
from embedded.box.steps import OWNER, refusal
from embedded.box.trees import Tree
from embedded.images.owners import BOX_UID

_PODS = "pods"


@dataclass(frozen=True, kw_only=True)
class RunDirectory:
    """`directory` goes with the run; `logs` may be a directory of the user's, and stays then.

    `keeper` is the process that removes `directory`.
    """

    directory: Path
    logs: Path
    keeper: Keeper

    @property
    def pods(self) -> Path:
        """Directory of the containers' logs, which the node writes from inside the box."""
        return self.logs / _PODS

    @property
    def trees(self) -> tuple[Tree, ...]:
        """The directories that the box must see."""
        return (Tree(path=self.pods, writable=True),)

    def write(self, name: str, text: str) -> Path:
        """Write a file that only the user may read; returns its path."""
        path = self.directory / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(text)
        return path

    def open_log(self, name: str) -> int:
        """Open a log for a program to write; the caller closes the descriptor."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return os.open(self.logs / f"{name}.log", flags, 0o644)

    def remove(self) -> None:
        """Remove what goes with the run, its keeper included."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.keeper.end()


def make_run_directory(log_dir: Path | None, lifetime: Lifetime) -> RunDirectory:
    """Make the directories, and the keeper that removes them and ends the launcher in time.

    Raises WrongUseError, and BoxUnavailableError where root may not give them to the box.
    """
    try:
        directory = Path(tempfile.mkdtemp(prefix="pg-tls-embedded-")).resolve()
    except OSError as error:
        text = f"embedded: no temporary directory: {error.strerror}; name one by TMPDIR"
        raise WrongUseError(text) from error
    logs = (log_dir or directory / "logs").resolve()
    try:
        keeper = Keeper(directory, lifetime)
    except BaseException:
        directory.rmdir()
        raise
    run_directory = RunDirectory(directory=directory, logs=logs, keeper=keeper)
    try:
        _make(run_directory, "TMPDIR" if log_dir is None else "--log-dir")
    except BaseException:
        run_directory.remove()
        raise
    return run_directory


def _make(run_directory: RunDirectory, option: str) -> None:
    try:
        run_directory.pods.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = f"{option} {run_directory.logs}: cannot be written: {error.strerror}; name another"
        raise WrongUseError(text) from error
    if os.geteuid() != 0:
        return
    # In root mode the box's root is another uid, which must get there and write.
    run_directory.directory.chmod(0o711)
    try:
        os.chown(run_directory.pods, BOX_UID, BOX_UID)
    except OSError as error:
        raise BoxUnavailableError(refusal(OWNER, str(error))) from error

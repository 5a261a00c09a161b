"""The reference operator's own code, as a small layer over the image of its libraries.

Kept apart so that a changed line costs a copy of some files, not an image.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from embedded.images.builder import STEP_SECONDS, Step, inside, making
from embedded.images.recipes import OPERATOR_CODE, Suite

REPOSITORY = Path(__file__).parents[2]
# All that the operator may import: it meets the rest of the platform through the API alone.
PARTS = (
    "embedded/__init__.py",
    "embedded/client",
    "reference/__init__.py",
    "reference/faults",
    "reference/operator",
)


def code_key(repository: Path = REPOSITORY) -> str:
    """Return the hex SHA-256 over the names and contents of the operator's files."""
    digest = hashlib.sha256()
    for path in _files(repository):
        digest.update(f"{path.relative_to(repository)}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def build_code(
    target: Path, base: Path, suite: Suite, lock: int, repository: Path = REPOSITORY
) -> None:
    """Copy the code to the layer `target`, compiled by the Python of the image at `base`.

    `lock` is the cache's, which the caller holds. Raises ImageError.
    """
    with making(target, "operator-code", lock) as step:
        code = step.root / OPERATOR_CODE[1:]
        for path in _files(repository):
            copy = code / path.relative_to(repository)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        _compile(code, base, suite, step)


def _files(repository: Path) -> Iterator[Path]:
    for part in PARTS:
        path = repository / part
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                yield file


def _compile(code: Path, base: Path, suite: Suite, step: Step) -> None:
    command = [
        f"/usr/bin/python{suite.python}",
        *("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", OPERATOR_CODE),
    ]
    step.run(inside(base, command, uid=0, binds=[(code, OPERATOR_CODE)]), STEP_SECONDS)

"""The reference operator's image: its libraries, and its own code as a small layer over them.

Kept apart so that a changed line costs a copy of some files, not an image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from embedded.images.model import ImageConfig
from embedded.images.recipe import (
    BASE_PACKAGES,
    BASE_PATH,
    Account,
    DebianRelease,
    Layer,
    Recipe,
    Wheels,
)

REPOSITORY = Path(__file__).parents[2]
WHEELS = "/opt/reference-operator/wheels"
CODE = "/opt/reference-operator/code"
# All that the operator may import: it meets the rest of the platform through the API alone. Faults
# of the node, which are found with all others, stand on the node's behaviour.
PARTS = (
    "embedded/__init__.py",
    "embedded/client",
    "embedded/node/__init__.py",
    "embedded/node/behaviour.py",
    "reference/__init__.py",
    "reference/faults",
    "reference/operator",
)
_COMPILE_ALL = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")


def operator(release: DebianRelease) -> Recipe:
    """Return the recipe of Debian's Python with what the operator imports."""
    python = f"/usr/bin/python{release.python}"
    libraries = (WHEELS, f"/usr/lib/python{release.python}", "/usr/lib/python3")
    return Recipe(
        name="operator",
        # No ca-certificates: it trusts no authority of theirs, and would read all at each start.
        packages=(*BASE_PACKAGES, "python3", "tzdata"),
        accounts=(Account(name="operator", uid=2),),
        directories=(CODE, WHEELS),
        wheels=Wheels(
            lock=REPOSITORY / "requirements" / "operator.txt", target=WHEELS, python=release.python
        ),
        commands=((python, *_COMPILE_ALL, *libraries),),
        versions=((python, "--version"),),
        config=ImageConfig(
            uid=2,
            gid=2,
            env={
                "PATH": BASE_PATH,
                "LANG": "C.UTF-8",
                "PYTHONPATH": f"{CODE}:{WHEELS}",
                "PYTHONUNBUFFERED": "1",
            },
            command=("python3", "-m", "reference.operator"),
        ),
    )


def code(release: DebianRelease, repository: Path = REPOSITORY) -> Layer:
    """Return the layer of the operator's code, compiled by the Python of the image below."""
    return Layer(
        name="operatorcode",
        directory=CODE,
        files=tuple(_files(repository)),
        commands=((f"/usr/bin/python{release.python}", *_COMPILE_ALL, CODE),),
    )


def code_key(repository: Path = REPOSITORY) -> str:
    """Return the hex SHA-256 over the names and contents of the operator's files."""
    digest = hashlib.sha256()
    for name, path in _files(repository):
        digest.update(f"{name}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def _files(repository: Path) -> Iterator[tuple[str, Path]]:
    for part in PARTS:
        path = repository / part
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            # Python's own files come and go while others run.
            if file.parent.name != "__pycache__" and file.is_file():
                yield str(file.relative_to(repository)), file

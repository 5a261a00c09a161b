"""The contents of wheel and sdist: all that a run needs, and no name that others may have."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from pg_tls_conformance import __version__
from tests.packaging.conftest import ROOT, build

PRIVATE = "pg_tls_conformance/_root/"


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as file:
        return set(file.namelist())


def test_the_wheel_has_one_package_and_its_metadata(wheel: Path) -> None:
    assert {name.partition("/")[0] for name in names(wheel)} == {
        "pg_tls_conformance",
        f"pg_tls_conformance-{__version__}.dist-info",
    }


def test_the_private_directory_has_what_a_checkout_has(wheel: Path) -> None:
    found = {name.removeprefix(PRIVATE) for name in names(wheel) if name.startswith(PRIVATE)}
    parts = ("embedded", "faultmatrix", "fixtures", "reference", "reports", "suites")
    expected = {
        str(path.relative_to(ROOT))
        for part in parts
        for path in (ROOT / part).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    locks = {"requirements/operator.txt", "requirements/patroni.txt"}
    assert found == expected | locks | {"conftest.py", "pyproject.toml"}


def test_the_wheel_brings_one_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        text = file.read(f"pg_tls_conformance-{__version__}.dist-info/entry_points.txt").decode()
    assert text.split() == [
        "[console_scripts]",
        "pg-tls-conformance",
        "=",
        "pg_tls_conformance.cli:main",
    ]


def test_the_sdist_builds_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as file:
        file.extractall(tmp_path, filter="data")
    source = tmp_path / f"pg_tls_conformance-{__version__}"
    assert {"tests", "docs", "tox.ini", "bootstrap", "CHANGELOG.md"} <= {
        path.name for path in source.iterdir()
    }
    build(source, tmp_path, "wheel")
    (again,) = tmp_path.glob("*.whl")
    assert names(again) == names(wheel)

"""That no shell script of the repository goes unchecked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell import ROOT, scripts


def test_the_repositorys_own_are_found() -> None:
    found = {str(path.relative_to(ROOT)) for path in scripts(ROOT)}
    assert {
        ".ci/run",
        "bootstrap",
        "reference/images/files/pg-template-make",
        "reference/operator/scripts/reload.sh",
        "requirements/lock.sh",
        "tests/bench/floor.sh",
    } <= found
    assert "reference/images/files/pg-template-copy" not in found


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("a.sh", "", True),
        ("a", "#!/bin/sh\n", True),
        ("a", "#! /usr/bin/env bash\n", True),
        ("a", "#!/bin/bash -e\n", True),
        ("deep/.ci/a", "#!/bin/sh\n", True),
        (".hidden/a.sh", "", False),
        ("a", "#!/usr/bin/perl\n", False),
        ("a", "#!/usr/bin/env python3\n", False),
        ("a", "echo\n", False),
    ],
)
def test_a_script_is_known_by_its_name_or_its_first_line(
    tmp_path: Path, name: str, text: str, is_one: bool
) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    assert list(scripts(tmp_path)) == ([file] if is_one else [])

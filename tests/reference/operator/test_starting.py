"""The program: what it says when it cannot start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"KUBECONFIG": "/nowhere"}, "kubeconfig /nowhere: No such file or directory"),
        ({}, "not inside a Pod: KUBERNETES_SERVICE_HOST is not set"),
    ],
)
def test_it_says_in_one_line_why_it_cannot_start(environment: dict[str, str], words: str) -> None:
    bare = {key: value for key, value in os.environ.items() if key in ("PATH", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "-m", "reference.operator"],
        env=bare | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4
    assert done.stderr == f"reference operator: {words}\n"

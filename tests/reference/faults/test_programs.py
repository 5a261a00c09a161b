"""The programs that run with faults: a name that nobody knows is one line, and exit code 4."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("words", "who"),
    [
        (["reference.faults.operator"], "reference operator"),
        (["reference.faults.node", "--config", "/nowhere"], "node"),
    ],
)
def test_an_unknown_fault_ends_it(words: list[str], who: str) -> None:
    done = run(*words, "--faults", "typed-secret,short-leef")
    assert done.returncode == 4
    assert done.stderr == f"{who}: unknown fault 'short-leef': did you mean short-leaf?\n"


def test_the_operator_tells_of_its_faults() -> None:
    done = run("reference.faults.operator", "--faults", "typed-secret,short-leaf")
    assert done.returncode == 4
    assert "faults are on: short-leaf, typed-secret\n" in done.stderr
    assert done.stderr.endswith("KUBERNETES_SERVICE_HOST is not set\n")


def test_the_node_has_the_other_options_of_a_node() -> None:
    done = run("reference.faults.node", "--faults", "node-another-root-file", "--config", "/no")
    assert (done.returncode, done.stderr) == (
        4,
        "node: /no: cannot be read: No such file or directory\n",
    )


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    bare = {key: value for key, value in os.environ.items() if key in ("PATH", "PYTHONPATH")}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

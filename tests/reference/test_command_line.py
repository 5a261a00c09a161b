"""`python -m reference`: the box with the reference's images and bundle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded.announced import announced

SECONDS = 90
FAULTS = "node-another-root-file,short-leaf"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reference", *arguments],
        input="",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_it_says_what_is_up() -> None:
    """The announcement has the bundle and the images; the platform ends with its input."""
    done = subprocess.Popen(
        [sys.executable, "-m", "reference", "up", "--json", "--faults", FAULTS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with done as process:
        assert process.stdout
        said = announced(process.stdout)
        bundle = Path(said["bundle"]).read_text()
        process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert bundle.count("kind: CustomResourceDefinition") == 1
    assert "- reference.faults.operator\n" in bundle
    assert "- short-leaf\n" in bundle
    rows = {row["reference"]: row for row in said["images"]}
    assert rows["percona/percona-pgbouncer"]["recipe"] == "postgresql"
    assert rows["reference-operator"]["digest"].startswith("sha256:")
    assert "PostgreSQL" in said["versions"]["postgres"]


def test_the_bundle_is_printed() -> None:
    done = run("bundle")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("kind: Deployment") == 1


def test_the_images_are_listed() -> None:
    done = run("images")
    assert done.returncode == 0, done.stderr
    assert any(
        line.startswith("reference-operator  operator (") for line in done.stdout.split("\n")
    )


@pytest.mark.parametrize("command", ["up", "bundle"])
def test_a_fault_that_nobody_knows_is_refused(command: str) -> None:
    """In one line with the near matches, exit code 4, before anything is started."""
    done = run(command, "--faults", "no-such-fault")
    assert done.returncode == 4
    assert done.stderr.startswith("--faults: unknown fault 'no-such-fault'")
    assert done.stderr.count("\n") == 1

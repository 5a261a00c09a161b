"""What operators written in Go ask of an API server, asked with their libraries, client-go and
controller-runtime: the program in `goclient/`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.embedded.node.live.bench import Bench

SOURCES = Path(__file__).with_name("goclient")
OLDEST = (1, 25)
_BUILD_SECONDS = 1200
_RUN_SECONDS = 600


@pytest.fixture(scope="module")
def goclient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built; modules come from where `go env GOPROXY` says."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        pytest.skip("not run: there is no Go on this machine")
    if _version(go) < OLDEST:
        pytest.skip(f"not run: the modules need Go {'.'.join(map(str, OLDEST))}")
    program = tmp_path_factory.mktemp("goclient") / "goclient"
    # It takes minutes of processor time, where other tests count seconds.
    built = subprocess.run(
        ["nice", "-n", "19", go, "build", "-p", "1", "-trimpath", "-o", str(program), "."],
        cwd=SOURCES,
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
    )
    assert built.returncode == 0, built.stderr
    return program


def test_clients_written_in_go_get_what_they_ask(bench: Bench, goclient: Path) -> None:
    bench.sleeper()
    asked = subprocess.run(
        [
            str(goclient),
            f"-kubeconfig={bench.kubeconfig}",
            f"-namespace={bench.namespace}",
            "-pod=sleeper",
        ],
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
    )
    assert asked.returncode == 0, asked.stderr
    answers = [json.loads(line) for line in asked.stdout.splitlines()]
    assert len(answers) == 9
    problems = {each["name"]: each["problem"] for each in answers if each["problem"]}
    assert not problems, asked.stderr[-2000:]


def _version(go: str) -> tuple[int, ...]:
    told = subprocess.run(
        [go, "env", "GOVERSION"], capture_output=True, text=True, timeout=60, check=True
    )
    major, minor, *_ = told.stdout.strip().removeprefix("go").split(".")
    return int(major), int(minor)

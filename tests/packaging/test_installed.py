"""The wheel in an environment of its own, far from any checkout."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from pg_tls_conformance import __version__
from tests.packaging.conftest import Installed
from tests.suites.example import PATIENT

UNANSWERED = "https://127.0.0.1:1"
"""Nobody listens on port 1."""


def kubeconfig(directory: Path) -> Path:
    """A kubeconfig in which the context `nobody` leads nowhere."""
    file = directory / "kubeconfig"
    lists = {
        "contexts": [{"name": "nobody", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": UNANSWERED}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **lists}))
    return file


def test_the_suites_own_names_are_not_importable(installed: Installed) -> None:
    for name in ("suites", "fixtures", "reports", "embedded", "reference", "faultmatrix"):
        assert installed.python("-c", f"import {name}").returncode == 1
    assert installed.python("-c", "import pg_tls_conformance").returncode == 0


def test_the_version_is_said(installed: Installed) -> None:
    ended = installed.run("--version")
    assert (ended.returncode, ended.stdout) == (0, f"pg-tls-conformance {__version__}\n")


def test_requirements_and_checks_are_listed(installed: Installed) -> None:
    ended = installed.run("--list")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "  FIN-1a  " in ended.stdout


def test_a_requirement_is_explained(installed: Installed) -> None:
    ended = installed.run("--explain", "FIN-1a")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("FIN-1a  ")
    assert "suites/test_fin.py:" in ended.stdout


def test_a_reader_that_goes_away_is_no_error(installed: Installed) -> None:
    command = f"{installed.environment}/bin/pg-tls-conformance --list | head -1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert (ended.stderr, ended.stdout.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["--no-such-option"], "pg-tls-conformance run --no-such-option"),
        (["rn"], "rn: no such command"),
        ([], "usage: pg-tls-conformance run"),
        (["run", "--platform", "kubeconfig"], "add --kube-context NAME"),
        (["run", "--platform", "embedded"], "install pg-tls-conformance[embedded]"),
        (["run", "--requirement", "FIN-1z"], "unknown requirement 'FIN-1z'"),
        (["report", "nowhere"], "give the report directory of a run"),
    ],
)
def test_wrong_use_is_told_and_ends_with_4(
    installed: Installed, words: list[str], said: str
) -> None:
    ended = installed.run(*words)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(installed.directory.iterdir()) == []


def test_a_cluster_that_does_not_answer_is_an_error(installed: Installed) -> None:
    """The report is where the user is, and says which version of the suite made it."""
    file = kubeconfig(installed.directory)
    options = ["--platform", "kubeconfig", "--kubeconfig", file.name, "--kube-context", "nobody"]
    ended = installed.run("run", *options, "--chapter", "FIN")
    assert ended.returncode == 3, ended.stderr
    assert UNANSWERED in ended.stdout
    assert "Connection refused" in " ".join(ended.stdout.split())
    run = json.loads((installed.directory / "report/run.json").read_text())
    assert (run["exit_code"], run["tool"]) == (3, __version__)
    assert run["requirements"][0]["checks"][0]["id"].startswith("suites/test_fin.py::")
    again = installed.run("report", "report")
    assert again.returncode == 3
    assert "inconclusive of the selection" in again.stdout


def test_the_users_directory_has_the_users_options(installed: Installed) -> None:
    (installed.directory / "conformance.toml").write_text('platform = "kind"\nkeep = 1\n')
    ended = installed.run("run")
    assert ended.returncode == 4
    assert ended.stderr.startswith("ERROR: conformance.toml, key keep: 1 is neither true")


def test_the_embedded_platform_is_in_the_wheel(whole: Installed) -> None:
    """Launcher, box and operator's image are made of what is installed."""
    ended = whole.run("run", "--platform", "embedded", "--requirement", "AUTO-1", *PATIENT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "passed of the selection (reference run, certifies nothing)" in ended.stdout


def test_the_faults_are_listed(installed: Installed) -> None:
    """The tool that runs them starts the suite as a process of its own, from where it lies."""
    ended = installed.run("faults", "--list", "short-leaf")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("1 fault\n")

"""The examples of `embedded/README.md` work as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import embedded
from embedded.images import store, table
from embedded.images.cache import cache_directory
from embedded.images.file import load
from embedded.images.model import find

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples/embedded"
README = (REPOSITORY / "embedded/README.md").read_text()
SECONDS = 300


def block(language: str, words: str) -> str:
    """The block of the page that has `words`."""
    found = re.finditer(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return next(match[1] for match in found if words in match[1])


def elsewhere() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}


def test_the_example_runs_beside_another_project(tmp_path: Path) -> None:
    """It brings a cluster up by itself, and sees its Deployment available."""
    shutil.copytree(EXAMPLE, tmp_path / "example")
    command = ["-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path / "example",
        env=elsewhere(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_page_shows_the_example_as_it_is() -> None:
    assert block("python", "def kubeconfig") == (EXAMPLE / "conftest.py").read_text()


def test_the_table_that_has_everything_can_be_made(tmp_path: Path) -> None:
    """Rules, defaults, layer: each image is what the page says."""
    file = tmp_path / "images.yaml"
    file.write_text(block("yaml", "layer:"))
    (tmp_path / "index.html").write_text("a page\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build/operator").write_text("#!/bin/sh\n")
    release = store.host_release()
    rules = table.build(load(file)(release), release, cache_directory())
    web, debug = find(rules, "example/web:2"), find(rules, "example/web-debug")
    operator = find(rules, "registry.example:5000/example/operator:1.2")
    assert web
    assert debug
    assert operator
    assert find(rules, "example/operator:2") is None
    assert (web.config.uid, web.config.gid, web.config.cwd) == (1000, 1000, "/srv")
    assert web.config.env["PORT"] == "8080"
    assert "/usr/bin" in web.config.env["PATH"]
    assert (debug.config.uid, debug.config.gid) == (0, 0)
    assert (debug.config.command, debug.layers) == (("sleep", "infinity"), web.layers)
    root = web.layers[0]
    assert (root / "srv/index.html").read_text() == "a page\n"
    assert (root / "srv/pages/made").read_text()
    assert (root / "usr/local/bin/httpd").readlink() == Path("/bin/busybox")
    assert "web:x:1000:1000:web:/srv:" in (root / "etc/passwd").read_text()
    assert "BusyBox" in store.versions(rules)["busybox"]
    assert operator.layers[1:] == web.layers
    assert (operator.layers[0] / "srv/pages/list").read_text() == "list\noperator\n"


def test_the_program_in_python_comes_up(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(block("python", "Specification("))
    (tmp_path / "operator.yaml").write_text("kind: Namespace\n")
    with subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=elsewhere(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        said = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
    assert said[0].startswith("Kubernetes at https://"), said
    assert said[3].startswith("kubectl apply --server-side -f /"), said


def test_all_that_the_package_offers_is_there() -> None:
    assert [name for name in embedded.__all__ if not hasattr(embedded, name)] == []
    assert not hasattr(embedded, "something_else")

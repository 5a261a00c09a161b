"""A whole run as an ordinary user: box, Pods, operator and PostgreSQL without any privilege."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.images import store, table
from embedded.images.cache import cache_directory
from reference.images.table import images
from tests.embedded.box import modes
from tests.embedded.box.modes import Mode
from tests.suites.example import PATIENT

ROOT = Path(__file__).resolve().parents[2]
RUN_SECONDS = 300
CHECKS = ["AUTO-1", "TLSONLY-3b"]


@pytest.fixture
def home() -> Iterator[Path]:
    """One that the ordinary user can reach, with a cache that leads to the images of the tests."""
    made = Path(tempfile.mkdtemp(prefix="pg-tls-test-home-", dir="/var/tmp"))
    try:
        release = store.host_release()
        table.build(images(release), release, cache_directory())
        if os.geteuid() == 0:
            modes.give_home(made)
        else:
            (made / "tmp").mkdir()
        yield made
    finally:
        shutil.rmtree(made)


def test_an_ordinary_user_gets_the_same_verdicts(home: Path) -> None:
    mode = Mode("user", home if os.geteuid() == 0 else None)
    report = home / "tmp/report"
    command = ["-m", "pytest", str(ROOT / "suites"), "--platform", "embedded"]
    command += ["--report-dir", str(report), "--requirement", ",".join(CHECKS), *PATIENT]
    with mode.popen(command, cwd=ROOT, stdin=subprocess.DEVNULL) as process:
        try:
            out, err = process.communicate(timeout=RUN_SECONDS)
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0, out + err
    assert report.stat().st_uid == (modes.ORDINARY_UID if os.geteuid() == 0 else os.geteuid())
    rows = json.loads((report / "run.json").read_text())["requirements"]
    assert {row["id"]: row["verdict"] for row in rows} == dict.fromkeys(CHECKS, "passed")
    assert [path.name for path in (home / "tmp").iterdir()] == ["report"]

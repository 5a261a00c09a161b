"""Evidence of a failed check: what was judged, though its scenario has gone on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.suites.example import ROOT

SECONDS = 180
CHECK = "UPDATE-1a"
STALE = ["--embedded-arguments=--faults stale-replica", "--deadline", "served-after-update=4"]


def _listed(folder: Path, plural: str) -> dict[str, Any]:
    objects = json.loads((folder / f"{plural}.json").read_text())
    return {obj["metadata"]["name"]: obj for obj in objects}


def test_a_judged_cluster_is_kept_as_it_was_before_its_deletion(tmp_path: Path) -> None:
    """The scenario deletes the cluster at once; the check that fails by it may come minutes on."""
    report = tmp_path / "report"
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--report-dir", str(report)]
    done = subprocess.run(
        [*command, "--requirement", CHECK, *STALE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    (row,) = json.loads((report / "run.json").read_text())["requirements"]
    (check,) = row["checks"]
    accused = check["differences"][0]["where"].split()[1]
    folder = next(
        path.parent
        for path in (report / each for each in check["evidence"])
        if path.parent.name == "scenario-custom"
    )
    assert f"{folder.relative_to(report)}/" in done.stdout
    assert "given" in _listed(folder, "perconapgclusters")
    pods = {name: pod for name, pod in _listed(folder, "pods").items() if name.startswith("given-")}
    assert accused in pods
    assert not [name for name, pod in pods.items() if "deletionTimestamp" in pod["metadata"]]
    assert "database system is ready" in (folder / f"log-{accused}-database.txt").read_text()

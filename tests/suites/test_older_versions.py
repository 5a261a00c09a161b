"""Promises that are kept otherwise by older operators: before 2.5 a namespace shares one root."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.suites.example import PATIENT, ROOT, Outcome

DECIDED = ("CONN-3", "REPL-4", "FIN-1b", "FIN-2c", "FIN-2d", "FIN-3", "FIN-4")


def test_an_operator_whose_clusters_share_a_root_keeps_what_it_promised(tmp_path: Path) -> None:
    """The reference operator says that it is one, and has one root for all of a namespace."""
    bundle = (ROOT / "deploy" / "bundle.yaml").read_text()
    old = tmp_path / "bundle.yaml"
    output = "image: reference-operator:"
    old.write_text(bundle.replace(f"{output}2.8.0", f"{output}2.4.1"))
    words = [sys.executable, "-m", "pytest", "suites", "--platform=embedded"]
    words += [f"--operator-bundle={old}", f"--report-dir={tmp_path / 'report'}"]
    words += ["--embedded-arguments=--faults root-of-the-namespace"]
    words += [f"--requirement={','.join(DECIDED)}", *PATIENT]
    ended = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False
    )
    outcome = Outcome(ended.returncode, ended.stdout, ended.stderr, tmp_path)
    # A long line is broken where the terminal ends.
    said = " ".join(outcome.out.split())
    assert "subject reference operator 2.4.1" in said, outcome.err
    assert {id_: outcome.verdicts[id_] for id_ in DECIDED} == dict.fromkeys(DECIDED, "passed")

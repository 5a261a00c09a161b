"""One run of the verifier, as the matrix makes it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from faultmatrix.running import RunError, Verification, output_beside, verify
from reference.faults.variant import Variant


def test_nothing_but_the_run_writes_into_its_report(tmp_path: Path) -> None:
    """The verifier refuses a directory that holds anything else: this run gets past that."""
    elsewhere = ("--platform=kubeconfig", "--kube-context=a", f"--kubeconfig={tmp_path}/none")
    report = tmp_path / "short-leaf"
    with pytest.raises(RunError, match=r"exit code 4, no verdicts: .* there is no such kubeconfig"):
        asyncio.run(verify(Verification(checks=("suites", *elsewhere), report=report)))
    assert not report.exists()
    assert "no such kubeconfig" in output_beside(report).read_text()


def test_variants_that_run_together_have_the_longest_of_their_deadlines() -> None:
    slow = Variant(name="slow", differs="It is slow.", deadlines=(("ready", 240), ("gone", 5)))
    glass = Variant(name="glass", differs="It is of glass.", deadlines=(("ready", 90),))
    words = Verification(checks=(), report=Path("/r"), under=[slow, glass]).arguments
    assert "--embedded-arguments=--faults slow,glass" in words
    assert [word for word in words if word.startswith("--deadline")] == [
        "--deadline=gone=5",
        "--deadline=ready=240",
    ]

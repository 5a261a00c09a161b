"""`python -m faultmatrix` as a person meets it; the runs themselves are `tox -e faults`."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from faultmatrix.listing import Listing
from faultmatrix.matrix import without_fault
from faultmatrix.running import ROOT, ask_listing
from reference.faults.registry import REGISTRY, VARIANTS


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "faultmatrix", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def listing() -> Listing:
    return asyncio.run(ask_listing())


def test_the_list_is_of_all_faults() -> None:
    ended = run("--list")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(f"\n{fault.name}  (" in f"\n{ended.stdout}" for fault in REGISTRY)
    assert all(f"\n{variant.name}  (" in ended.stdout for variant in VARIANTS)
    assert ended.stdout.endswith(f"{len(REGISTRY)} faults and {len(VARIANTS)} variants\n")


def test_the_list_can_be_of_some() -> None:
    assert run("--list", "short-leaf").stdout.endswith("\n1 fault\n")
    assert run("--list", "--only", "faults").stdout.endswith(f"{len(REGISTRY)} faults\n")
    assert run("--list", "--only", "variants").stdout.endswith(f"{len(VARIANTS)} variants\n")


def test_a_choice_that_leaves_nothing_is_one_line() -> None:
    ended = run("--only", "variants", "short-leaf")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == "--only variants: none of those named is one.\n"


def test_an_unknown_fault_is_one_line() -> None:
    ended = run("short-leef")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == "unknown fault 'short-leef': did you mean short-leaf?\n"


def test_what_to_rerun_is_read_from_a_matrix(tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    ended = run("--rerun-failed", str(file))
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == f"{file} cannot be read: No such file or directory\n"
    file.write_text('{"faults": []}')
    ended = run("--rerun-failed", str(file))
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == f"{file} is no matrix; give a file that --json wrote\n"
    file.write_text('{"schema_version": 99}')
    assert run("--rerun-failed", str(file)).stderr == f"{file}: schema version 99 is unknown\n"


def test_no_run_at_a_time_is_refused() -> None:
    ended = run("--jobs", "0")
    assert (ended.returncode, ended.stderr.count("\n")) == (4, 1)


def test_a_report_directory_that_cannot_be_made_is_one_line() -> None:
    ended = run("--report-dir", "/proc/reports", "short-leaf")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("/proc/reports cannot be written: ")
    assert ended.stderr.count("\n") == 1


def test_an_output_that_takes_no_more_is_one_line() -> None:
    command = [sys.executable, "-u", "-m", "faultmatrix", "--list", "short-leaf"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert ended.returncode == 3
    assert ended.stderr.startswith("broken off: No space left on device; ")
    assert ended.stderr.count("\n") == 1


def test_ctrl_c_ends_all_runs_and_waits_for_them(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    command = [sys.executable, "-m", "faultmatrix", "short-leaf"]
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, f"--report-dir={reports}"], cwd=ROOT, **options) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("one run without a fault, then 1 fault, 2 at")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (
        2,
        "interrupted: all runs were ended, and have cleaned up\n",
    )
    assert _naming(reports) == []


def test_the_end_of_tox_ends_all_runs(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    command = [sys.executable, "-m", "faultmatrix", "short-leaf", f"--report-dir={reports}"]
    tox = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])", *command]
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "TOX_ENV_NAME": "faults"}
    with subprocess.Popen(tox, cwd=ROOT, env=environment, **options) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("one run without a fault, then 1 fault")
        process.kill()
        _, err = process.communicate(timeout=120)
    assert err == "interrupted: all runs were ended, and have cleaned up\n"
    assert _naming(reports) == []


def _naming(path: Path) -> list[str]:
    """Processes with the path among their arguments."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = file.read_bytes().decode(errors="replace")
            found += [words] if str(path) in words else []
    return found


def test_every_decided_requirement_has_a_fault(listing: Listing) -> None:
    assert without_fault(listing, REGISTRY) == ()


def test_every_fault_breaks_what_a_check_decides(listing: Listing) -> None:
    undecided = {f.name for f in REGISTRY if not set(f.requirements) <= set(listing.decided)}
    assert undecided == set()


def test_collateral_is_of_the_checks_that_are_run(listing: Listing) -> None:
    """One check of a requirement is enough for it to fail."""
    for fault in REGISTRY:
        run = set(listing.within(listing.scenarios(fault.requirements)))
        seen = {id_ for id_, checks in listing.checks.items() if run & {one.id for one in checks}}
        listed = {hit.requirement for hit in fault.collateral}
        assert listed <= seen, fault.name

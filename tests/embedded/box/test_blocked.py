"""A machine that does not let a box be made: one line, exit code 4, nothing half-made."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import syscalls
from embedded.box import steps
from embedded.box.steps import Step
from tests.embedded.box.modes import SECONDS, Mode

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="what only root needs is refused to root")
BARS = [
    pytest.param("limit=mnt", steps.MOUNTS, id="mounts"),
    pytest.param("limit=net", steps.NETWORK, id="network"),
    pytest.param("limit=pid", steps.PIDS, id="pids"),
    # The kernel mounts no new /proc where something is hidden in the one that is seen.
    pytest.param("bind=/dev/null:/proc/version", steps.PROC, id="proc"),
    # By their flags, the third argument of mount(2).
    pytest.param(
        f"deny=mount:3:{syscalls.MS_NOSUID | syscalls.MS_NODEV}", steps.MEMORY, id="memory"
    ),
    pytest.param("deny=mount:3:0", steps.OVERLAY, id="overlay"),
    pytest.param(f"deny=socket:0:{int(socket.AF_NETLINK)}", steps.BRIDGE, id="bridge"),
]


def up_behind(mode: Mode, bar: str) -> subprocess.CompletedProcess[str]:
    """Run `up` behind a bar of `confined`."""
    command = ["-m", "tests.embedded.box.confined", bar, "up", "--json"]
    return mode.run(command, stdin=subprocess.DEVNULL)


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 4, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


def assert_step_refused(done: subprocess.CompletedProcess[str], step: Step, *words: str) -> None:
    assert_refused(done, f"{step.name} refused", step.probe, step.remedy, *words)


@pytest.mark.parametrize(("bar", "step"), BARS)
def test_a_step_that_is_refused_is_named(mode: Mode, bar: str, step: Step) -> None:
    """With a command that tries it alone, and how to allow it."""
    assert_step_refused(up_behind(mode, bar), step)


def test_no_user_namespaces(mode: Mode) -> None:
    """Root is not told to run as root."""
    step = steps.OTHER_USER if mode.name == "root" else steps.USER
    assert_step_refused(up_behind(mode, "limit=user"), step)


@pytest.fixture
def refusing(mode: Mode) -> Iterator[Path]:
    """A bwrap that fails with two lines."""
    directory = Path(tempfile.mkdtemp(dir=mode.temporary))
    program = directory / "bwrap"
    program.write_text("#!/bin/sh\necho bwrap: first words >&2\necho second words >&2\nexit 1\n")
    for path in (directory, program):
        path.chmod(0o755)
    yield program
    shutil.rmtree(directory)


def test_no_container_in_the_box(mode: Mode, refusing: Path) -> None:
    """All that bwrap says, in the one line."""
    done = up_behind(mode, f"bind={refusing}:/usr/bin/bwrap")
    assert_step_refused(done, steps.CONTAINER, "(bwrap: first words second words)")


def test_a_missing_program_is_named_with_its_package(mode: Mode) -> None:
    done = up_behind(mode, "bind=/dev/null:/usr/bin/bwrap")
    assert_refused(done, "bwrap is not installed: apt-get install bubblewrap")


@only_root
@pytest.mark.parametrize(
    ("before", "step"),
    [
        (["unshare", "--user", "--map-root-user"], steps.OWNER),
        (["setpriv", "--bounding-set=-all", "--inh-caps=-all"], steps.OWNER),
        (["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"], steps.MOUNTS),
        (["setpriv", "--bounding-set=-setgid", "--inh-caps=-setgid"], steps.OTHER_USER),
        (["setpriv", "--bounding-set=-setuid", "--inh-caps=-setuid"], steps.OTHER_USER),
    ],
    ids=["one uid", "no capability", "no sys_admin", "no setgid", "no setuid"],
)
@pytest.mark.parametrize("options", [(), ("--log-dir", "made/logs")], ids=["", "logs"])
def test_a_root_that_may_little_is_told_what(
    tmp_path: Path, before: list[str], step: Step, options: tuple[str, ...]
) -> None:
    """As in a container without privileges; another directory for the logs would not help."""
    repository = Path(__file__).parents[3]
    done = subprocess.run(
        [*before, sys.executable, "-m", "embedded", "up", "--json", *options],
        input="",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(repository)},
    )
    assert_step_refused(done, step)
    assert "--log-dir" not in done.stderr


def test_the_restriction_of_apparmor_is_named_whatever_step_it_stops(tmp_path: Path) -> None:
    setting = tmp_path / "apparmor_restrict_unprivileged_userns"
    setting.write_text("1\n")
    line = steps.refusal(steps.MOUNTS, "Operation not permitted", setting)
    assert "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0" in line
    setting.write_text("0\n")
    assert "AppArmor" not in steps.refusal(steps.MOUNTS, "Operation not permitted", setting)

"""Where the machine does not let a box be made: one line, exit code 4, nothing half-made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from embedded.box.steps import NETWORK, USER
from tests.embedded.box.modes import SECONDS

UP = [sys.executable, "-m", "embedded", "up", "--json"]
UID = ("--unshare-user", "--uid", "1000", "--gid", "1000")


def up_under(cache: Path, *bars: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run `up` as an ordinary user in a bubblewrap with these further options."""
    bind = ("--dev-bind", "/", "/", "--die-with-parent")
    script = f'{before} exec "$@"'
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    return subprocess.run(
        ["bwrap", *bind, *UID, *bars, "--", "sh", "-c", script, "sh", *UP],
        input="",
        capture_output=True,
        text=True,
        env=environment,
        timeout=SECONDS,
        check=False,
    )


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 4, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


def test_no_user_namespaces(tmp_path: Path) -> None:
    done = up_under(tmp_path, "--disable-userns")
    assert_refused(done, "user namespace refused", USER.probe, "run as root")


def test_no_network_namespaces(tmp_path: Path) -> None:
    done = up_under(
        tmp_path, "--cap-add", "ALL", before="echo 0 >/proc/sys/user/max_net_namespaces &&"
    )
    assert_refused(done, "network namespace refused", NETWORK.probe, "user.max_net_namespaces")


def test_a_missing_program_is_named_with_its_package(tmp_path: Path) -> None:
    done = up_under(tmp_path, "--ro-bind", "/dev/null", "/usr/bin/bwrap")
    assert_refused(done, "bwrap is not installed: apt-get install bubblewrap")

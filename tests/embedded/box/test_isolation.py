"""Nothing in the box can change the host or reach it."""

from __future__ import annotations

import errno
import platform
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.box.modes import Mode
from tests.embedded.box.playing import play
from tests.embedded.box.scene import Stage

SETTINGS = ("kernel/core_pattern", "vm/overcommit_memory", "fs/file-max")
# mount(2) with MS_REMOUNT | MS_BIND: writable again. Its number, and EPERM where it is refused.
MOUNT = {"x86_64": 165, "aarch64": 40}[platform.machine()]
REMOUNT = f"my $t = '/proc/sys'; exit(syscall({MOUNT}, 0, $t, 0, 0x1020, 0) == 0 ? 0 : $!+0)"


async def writes_settings(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    seen: dict[str, Any] = {}
    own = "net/ipv4/ip_unprivileged_port_start"
    for name in (*SETTINGS, own):
        script = f"cat /proc/sys/{name} >/dev/null && echo 0 >/proc/sys/{name}"
        box = await stage.runtime.run(["sh", "-c", script])
        inside = await stage.output(sandbox, "sh", "-c", script, uid=0, gid=0)
        waits = await stage.sleeper(sandbox, uid=0, gid=0)
        entered = await stage.execute(waits, "sh", "-c", script)
        seen[name] = [box.stderr, inside.stdout, entered.stdout]
    lifted = await stage.output(sandbox, "perl", "-e", REMOUNT, uid=0, gid=0)
    seen["remount"] = lifted.status.code
    return seen


def test_no_container_writes_settings_of_the_kernel(mode: Mode) -> None:
    """Two bars, each by itself: a namespace of users around the box, and a read-only /proc/sys.

    The first is seen from the box's own root, which no read-only mount stops. The second is seen
    at a setting of the Pod's own network, which the first would let root write.
    """
    before = {name: Path("/proc/sys", name).read_text() for name in SETTINGS}
    seen = play(mode, writes_settings)
    after = {name: Path("/proc/sys", name).read_text() for name in SETTINGS}
    assert after == before
    for name in SETTINGS:
        box, inside, entered = seen[name]
        assert "Permission denied" in box, name
        assert "Read-only file system" in inside, name
        assert "Read-only file system" in entered, name
    own_box, own_inside, own_entered = seen["net/ipv4/ip_unprivileged_port_start"]
    assert own_box == ""
    assert "Read-only file system" in own_inside
    assert "Read-only file system" in own_entered
    assert seen["remount"] == errno.EPERM


@contextmanager
def listening(*addresses: str) -> Iterator[list[tuple[str, int]]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_server((address, 0))).getsockname()
            for address in addresses
        ]


def host_address() -> str:
    """The host's own address towards the world; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this host has no network besides its loopback")
        return str(probe.getsockname()[0])


async def dials(stage: Stage, *targets: str) -> list[list[str]]:
    sandbox = await stage.sandbox()
    said = []
    for target in targets:
        script = f"exec 3<>/dev/tcp/{target}"
        inside = await stage.output(sandbox, "timeout", "2", "bash", "-c", script)
        box = await stage.runtime.run(["timeout", "2", "bash", "-c", script])
        said.append([str(inside.status.code), str(box.status.code)])
    return said


def test_no_container_reaches_the_hosts_network(mode: Mode) -> None:
    """Neither its loopback nor its address; from here, both answer."""
    with listening("127.0.0.1", host_address()) as addresses:
        for address in addresses:
            socket.create_connection(address, timeout=60).close()
        seen = play(mode, dials, *(f"{host}/{port}" for host, port in addresses))
    assert all(code != "0" for pair in seen for code in pair), seen


async def looks_around(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    listing = await stage.output(
        sandbox, "sh", "-c", "ls /root /home /run /sys; ls -d /work /var/cache/pg*"
    )
    environment = await stage.output(
        sandbox, "sh", "-c", "env; cat /proc/1/environ | tr '\\0' '\\n'"
    )
    run = await stage.runtime.run(["ls", "/run"])
    return {"files": listing.stdout, "environment": environment.stdout, "run": run.stdout}


def test_a_container_sees_nothing_of_the_user(mode: Mode) -> None:
    """Of the host's files only its image, of the environment only what it was given."""
    done = mode.run(
        ["-m", "tests.embedded.box.scene", looks_around.__module__, "looks_around"],
        env={"AWS_SECRET_ACCESS_KEY": "do-not-leak"},
    )
    assert done.returncode == 0, done.stderr
    assert "do-not-leak" not in done.stdout
    assert '"run": "box\\n"' in done.stdout

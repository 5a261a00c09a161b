"""A container: its surroundings, its life, and what may be done in it."""

from __future__ import annotations

import asyncio
import os
import resource
import select
import signal
from typing import Any

from embedded.runtime.model import Bind, BoxError, Streams
from tests.embedded.box.modes import Mode
from tests.embedded.box.playing import play
from tests.embedded.box.scene import Stage

STATUS = "id -u; hostname; grep -E 'CapEff|CapPrm|CapBnd|NoNewPrivs' /proc/self/status"
NOTHING = "0000000000000000"


async def surroundings(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    started = await stage.output(sandbox, "sh", "-c", STATUS)
    waits = await stage.sleeper(sandbox)
    entered = await stage.execute(waits, "sh", "-c", STATUS)
    as_root = await stage.sleeper(sandbox, uid=0, gid=0)
    root = await stage.execute(as_root, "sh", "-c", STATUS)
    alone = await stage.execute(waits, "ps", "-e", "-o", "pid=,comm=")
    return {"started": started, "entered": entered, "root": root, "alone": alone}


def test_a_container_has_its_user_its_name_and_no_privilege(mode: Mode) -> None:
    """Started or entered, as root or another: no capability, and none to be had by a program."""
    seen = play(mode, surroundings)
    for name, uid in (("started", "26"), ("entered", "26"), ("root", "0")):
        lines = seen[name]["stdout"].split()
        assert lines[:2] == [uid, "pod-2"], name
        assert lines[2:8] == ["CapPrm:", NOTHING, "CapEff:", NOTHING, "CapBnd:", NOTHING], name
        assert lines[8:] == ["NoNewPrivs:", "1"], name
    # It sees itself as pid 1, and of all others only what was executed beside it.
    processes = [line.split() for line in seen["alone"]["stdout"].splitlines()]
    assert [name for _, name in processes] == ["sleep", "ps"]
    assert processes[0][0] == "1"


async def lives(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    handler = "trap 'exit 3' TERM; sleep 1000 & echo ready; wait"
    ends = {"exit": (await stage.output(sandbox, "sh", "-c", "exit 7")).status}
    read, write = os.pipe()
    handles = await stage.container(sandbox, "sh", "-c", handler, streams=Streams(stdout=write))
    await asyncio.to_thread(os.read, read, 100)
    handles.signal(signal.SIGTERM)
    ends["handled"] = await handles.wait()
    ignores = await stage.sleeper(sandbox)
    ignores.signal(signal.SIGTERM)
    alive = await stage.execute(ignores, "true")
    ends["entered after SIGTERM"] = alive.status
    ignores.signal(signal.SIGKILL)
    ends["killed"] = await ignores.wait()
    ignores.signal(signal.SIGTERM)
    waits = await stage.sleeper(sandbox)
    entered = await stage.runtime.exec(waits, ["sleep", "1000"], env=stage.image.config.env)
    entered.signal(signal.SIGTERM)
    ends["entered, terminated"] = await entered.wait()
    return ends


def test_a_container_ends_as_its_program_does(mode: Mode) -> None:
    """Pid 1 ignores SIGTERM unless it handles it; SIGKILL ends it; what is entered is not pid 1."""
    assert play(mode, lives) == {
        "exit": {"code": 7, "signal": 0},
        "handled": {"code": 3, "signal": 0},
        "entered after SIGTERM": {"code": 0, "signal": 0},
        "killed": {"code": 137, "signal": 0},
        "entered, terminated": {"code": 143, "signal": 15},
    }


async def files(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    root = await stage.runtime.mount_root(stage.image)
    volume = root.directory / "volume"
    volume.mkdir()
    (volume / "given").write_text("given")
    volumes = (
        Bind(source=volume, target="/made/for/it"),
        Bind(source=volume / "given", target="/etc/given", read_only=True),
    )

    async def run(script: str, **fields: Any) -> int:
        # Programs of the image are root's, where the box has several users.
        fields |= {"binds": volumes, "uid": 0, "gid": 0}
        spec = stage.spec(sandbox, root, ["sh", "-c", script], **fields)
        return (await (await stage.runtime.start(spec)).wait()).code

    return {
        "writes": await run("echo kept >/usr/bin/kept && echo out >/made/for/it/out"),
        "keeps": await run("grep -q kept /usr/bin/kept && grep -q given /etc/given"),
        "outside": (volume / "out").read_text(),
        "read-only volume": await run("echo x >/etc/given"),
        "read-only root": await run("echo x >/usr/bin/x", read_only_root=True),
        "volume on it": await run("echo x >/made/for/it/x", read_only_root=True),
        "another's": (await stage.output(sandbox, "test", "-e", "/usr/bin/kept")).status.code,
        "image": (stage.image.layers[0] / "usr/bin/kept").exists(),
        "forgotten": await _forgotten(stage),
    }


async def _forgotten(stage: Stage) -> bool:
    root = await stage.runtime.mount_root(stage.image)
    await stage.runtime.unmount_root(root)
    return not root.directory.exists()


def test_what_is_written_stays_with_the_root(mode: Mode) -> None:
    """It outlives the container, is seen by no other, and never reaches the image."""
    seen = play(mode, files)
    assert seen["writes"] == seen["keeps"] == seen["volume on it"] == 0
    assert seen["outside"] == "out\n"
    assert seen["read-only volume"] == seen["read-only root"] == 2
    assert seen["another's"] == 1
    assert seen["image"] is False
    assert seen["forgotten"] is True


async def missing(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    started = await stage.output(sandbox, "no-such-program")
    waits = await stage.sleeper(sandbox)
    try:
        await stage.execute(waits, "no-such-program")
    except BoxError as error:
        entered = str(error)
    waits.signal(signal.SIGKILL)
    await waits.wait()
    try:
        await stage.execute(waits, "true")
    except BoxError as error:
        ended = str(error)
    return {"started": started, "entered": entered, "ended": ended}


def test_a_program_that_is_not_there_is_said(mode: Mode) -> None:
    """On the container's stderr where it is started, by an error where it is entered."""
    seen = play(mode, missing)
    assert seen["started"]["status"]["code"] == 127
    assert "no-such-program: not found" in seen["started"]["stdout"]
    assert seen["entered"].startswith("no-such-program: ")
    assert "No such file" in seen["entered"]
    assert seen["ended"] == "exec true: the container has ended"


async def given_up(stage: Stage) -> list[str]:
    sandbox = await stage.sandbox()
    root = await stage.runtime.mount_root(stage.image)
    # What is to announce that the container is complete never does.
    shell = root.path / "bin/sh"
    shell.unlink()
    shell.write_text("#!/bin/bash\necho started\nsleep 1000\n")
    shell.chmod(0o755)
    read, write = os.pipe()
    spec = stage.spec(sandbox, root, ["true"], streams=Streams(stdout=write))
    start = asyncio.create_task(stage.runtime.start(spec))
    said = [await asyncio.to_thread(heard, read)]
    os.close(write)
    start.cancel()
    await asyncio.wait([start])
    return [*said, await asyncio.to_thread(heard, read)]


def heard(descriptor: int) -> str:
    """Return the next bytes: none is the end, as every writer has closed."""
    found, _, _ = select.select([descriptor], [], [], 40)
    return os.read(descriptor, 100).decode() if found else "silence"


def test_a_container_whose_start_is_given_up_ends(mode: Mode) -> None:
    assert play(mode, given_up) == ["started\n", ""]


async def many(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    waits = await stage.sleeper(sandbox)
    codes = [stage.execute(waits, "bash", "-c", f"exit {number}") for number in range(1, 61)]
    done = await asyncio.gather(*codes)
    long = {"LONG": "x" * 100_000, "LONGER": "y" * 120_000}
    said = await stage.execute(waits, "bash", "-c", "echo ${#LONG} ${#LONGER}", env=long)
    # One that outlives its parent becomes the spawner's to reap. It holds the output until then.
    orphan = await stage.runtime.run(["sh", "-c", "(sleep 0.1 &); exit 0"])
    await stage.runtime.run(["true"])
    states = await stage.runtime.run(["sh", "-c", "grep -h ^State: /proc/[0-9]*/status"])
    return {
        "codes": [one.status.code for one in done],
        "long": said.stdout,
        "orphan": orphan.status.code,
        "zombies": states.stdout.decode().count("Z"),
    }


def test_the_spawner_keeps_many_apart(mode: Mode) -> None:
    """Each gets its own exit code, long messages arrive whole, and no zombie is left."""
    seen = play(mode, many)
    assert seen["codes"] == list(range(1, 61))
    assert seen["long"].split() == ["100000", "120000"]
    assert (seen["orphan"], seen["zombies"]) == (0, 0)


async def terminal(stage: Stage) -> list[str]:
    master, slave = os.openpty()
    sandbox = await stage.sandbox()
    waits = await stage.sleeper(sandbox)
    streams = Streams(stdin=slave, stdout=slave, stderr=slave)
    look = ["sh", "-c", "test -t 0 && cut -d ' ' -f 7 /proc/$$/stat"]
    env = stage.image.config.env
    process = await stage.runtime.exec(waits, look, env=env, streams=streams, tty=True)
    await process.wait()
    return [os.read(master, 100).decode().strip(), str(os.fstat(slave).st_rdev)]


def test_a_terminal_becomes_the_controlling_one(mode: Mode) -> None:
    """Field 7 of /proc/PID/stat, tty_nr: the device's number (proc(5))."""
    number, device = play(mode, terminal)
    major, minor = os.major(int(device)), os.minor(int(device))
    assert int(number) == (minor & 0xFF) | major << 8 | (minor & ~0xFF) << 12


async def limits(stage: Stage) -> dict[str, Any]:
    look = ["sh", "-c", "ulimit -Sn; ulimit -Hn"]
    sandbox = await stage.sandbox()
    waits = await stage.sleeper(sandbox)
    return {
        "box": (await stage.runtime.run(look)).stdout,
        "started": (await stage.output(sandbox, *look)).stdout,
        "entered": (await stage.execute(waits, *look)).stdout,
    }


def test_the_box_may_open_many_files_and_a_container_the_usual_number(mode: Mode) -> None:
    """Whatever the soft limit of whoever starts it is: it may be raised without privilege."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
        seen = play(mode, limits)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert seen["box"].split() == [str(hard), str(hard)]
    assert seen["started"].split() == seen["entered"].split() == ["1024", str(hard)]

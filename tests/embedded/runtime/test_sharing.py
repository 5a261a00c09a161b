"""Containers that share their processes, on a pause."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from embedded.runtime.model import BoxError, ProcessNamespace, Sandbox, Streams
from embedded.runtime.runtime import Pause, Process
from tests.embedded.box.modes import Mode
from tests.embedded.box.playing import play
from tests.embedded.box.scene import Stage

NOTHING = "0000000000000000"
# A daemon that lets its parent go, and says what it hears.
DAEMON = """
cat >/tmp/postgres <<'END'
#!/bin/sh
trap 'echo reloaded' HUP
trap 'echo stopped; exit' TERM
echo up
while :; do sleep 0.02; done
END
chmod +x /tmp/postgres
(/tmp/postgres &)
"""
KILL = ("pkill", "--exact", "--parent=1")


async def paused(stage: Stage, sandbox: Sandbox, uid: int | None = None) -> Pause:
    config = stage.image.config
    uid = config.uid if uid is None else uid
    return await stage.runtime.start_pause(sandbox, [stage.image], uid, uid)


class Heard:
    """What comes out of a container, line by line."""

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self.streams = Streams(stdout=self._writer, stderr=self._writer)
        self._source = os.fdopen(reader)
        self._lines = asyncio.StreamReader()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._lines), self._source
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close_writer()

    async def line(self) -> str:
        async with asyncio.timeout(20):
            return (await self._lines.readline()).decode().strip()

    async def rest(self) -> str:
        """Return what is left, once nobody can write any more."""
        self.close_writer()
        async with asyncio.timeout(20):
            return (await self._lines.read()).decode()

    def close_writer(self) -> None:
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1


async def siblings(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    pause = await paused(stage, sandbox)
    alone = await stage.sleeper(sandbox)
    async with Heard() as heard:
        main = await stage.container(
            sandbox,
            *("bash", "-c", f"{DAEMON} exec sleep 1000"),
            streams=heard.streams,
            processes=pause.namespace,
        )
        said = [await heard.line()]
        sidecar = await stage.sleeper(sandbox, processes=pause.namespace)
        found: dict[str, Any] = {
            "shown": await words(stage, sidecar, "ps", "-e", "-o", "pid=,ppid=,sid=,comm="),
            "alone": await words(stage, alone, "ps", "-e", "-o", "comm="),
            "mains": await words(stage, sidecar, "pgrep", "--exact", "--parent=0", "sleep"),
            "daemon": await words(stage, sidecar, "pgrep", "--exact", "--parent=1", "postgres"),
            "none": await words(stage, sidecar, "pgrep", "--exact", "--parent=0", "postgres"),
        }
        for number in ("HUP", "TERM"):
            await words(stage, sidecar, *KILL, f"--signal={number}", "postgres")
            said.append(await heard.line())
        gone = "while pgrep --exact postgres; do sleep 0.01; done >/dev/null; ps -e -o stat="
        found["states"] = await words(stage, sidecar, "sh", "-c", gone)
        main.signal(signal.SIGTERM)
        found["code"] = (await main.wait()).code
    return found | {"said": said, "others": [sidecar.status, alone.status]}


async def words(stage: Stage, process: Process, *argv: str) -> list[str]:
    return (await stage.execute(process, *argv)).stdout.decode().split()


def test_containers_on_a_pause_see_and_signal_each_others_processes(mode: Mode) -> None:
    """First processes have the parent 0, orphans the parent 1: the pause, which keeps no zombie."""
    seen = play(mode, siblings)
    assert seen["alone"] == ["sleep", "ps"]
    shown = list(zip(*[iter(seen["shown"])] * 4, strict=True))
    assert shown[0] == ("1", "0", "0", "pause")
    firsts = [pid for pid, parent, _, name in shown if (parent, name) == ("0", "sleep")]
    assert firsts == seen["mains"]
    # Each leads a session of its own.
    assert firsts == [
        session for _, parent, session, name in shown if (parent, name) == ("0", "sleep")
    ]
    assert len(firsts) == 2
    # A child of the daemon has its name until it executes a program of its own.
    daemons = [
        (pid, parent)
        for pid, parent, _, name in shown
        if name == "postgres" and parent not in seen["daemon"]
    ]
    assert daemons == [(pid, "1") for pid in seen["daemon"]]
    assert len(daemons) == 1
    assert seen["none"] == []
    assert seen["said"] == ["up", "reloaded", "stopped"]
    assert not [state for state in seen["states"] if state.startswith("Z")]
    # It is not pid 1, which would ignore the signal.
    assert seen["code"] == 143
    assert seen["others"] == [None, None]


async def ends(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    pause = await paused(stage, sandbox)
    sidecar = await stage.sleeper(sandbox, processes=pause.namespace)
    found: dict[str, Any] = {"codes": [], "left": []}
    for last in ("exit 7", "kill -9 $$", "exec sleep 1000"):
        async with Heard() as heard:
            main = await stage.container(
                sandbox,
                *("bash", "-c", f"{DAEMON} {last}"),
                streams=heard.streams,
                processes=pause.namespace,
            )
            if last.startswith("exec"):
                await heard.line()
                main.signal(signal.SIGTERM)
            found["codes"].append((await main.wait()).code)
            # Whoever still ran would hold the output.
            await heard.rest()
            found["left"] += await words(stage, sidecar, "pgrep", "postgres")
    found["sidecar"] = sidecar.status
    await words(stage, sidecar, "sh", "-c", "kill -9 1; pkill -9 pause")
    second = await stage.sleeper(sandbox, processes=pause.namespace)
    await stage.runtime.end_pause(pause)
    found["ended"] = [(await one.wait()).code for one in (sidecar, second)]
    found["again"] = (await stage.output(sandbox, "echo", "up")).stdout
    return found


def test_a_container_ends_with_its_first_process_and_all_with_the_pause(mode: Mode) -> None:
    """Nothing of a container is left, nothing of another ends; none of them ends the pause."""
    seen = play(mode, ends)
    assert seen["codes"] == [7, 137, 143]
    assert seen["left"] == []
    assert seen["sidecar"] is None
    assert seen["ended"] == [137, 137]
    assert seen["again"] == "up\n"


async def many(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    pause = await paused(stage, sandbox)
    breeding = "sh -c 'while :; do sleep 0.01 & done' & sleep 0.05; kill $!"
    descriptors = len(list(Path("/proc/self/fd").iterdir()))

    async def one(number: int) -> int:
        script = f"(sleep 100 &); ({breeding}); exit {number}"
        main = await stage.container(sandbox, "sh", "-c", script, processes=pause.namespace)
        return (await main.wait()).code

    codes = await asyncio.gather(*(one(number) for number in range(1, 13)))
    waits = await stage.sleeper(sandbox, processes=pause.namespace)
    left = await words(stage, waits, "ps", "-e", "-o", "comm=")
    waits.signal(signal.SIGKILL)
    await waits.wait()
    opened = len(list(Path("/proc/self/fd").iterdir())) - descriptors
    return {"codes": codes, "left": left, "opened": opened}


def test_many_that_end_at_once_leave_nothing(mode: Mode) -> None:
    """Neither what they started meanwhile, nor a descriptor of the runtime."""
    seen = play(mode, many)
    assert seen["codes"] == list(range(1, 13))
    assert seen["left"] == ["pause", "sleep", "ps"]
    assert seen["opened"] == 0


async def refused(stage: Stage) -> dict[str, str]:
    sandbox = await stage.sandbox()
    pause = await paused(stage, sandbox)
    namespace = pause.namespace
    # Of several users all are in the owner's.
    user = namespace.user
    copies: dict[str, Any] = {
        "pids": os.dup(namespace.pids),
        "owner": os.dup(namespace.owner),
        "user": None if user is None else os.dup(user),
    }
    await stage.runtime.end_pause(pause)
    found: dict[str, str] = {}
    try:
        await stage.sleeper(sandbox, processes=ProcessNamespace(**copies))
    except BoxError as error:
        found["late"] = str(error)
    empty = Path(tempfile.mkdtemp())
    bare = replace(stage.image, layers=(empty,))
    try:
        await stage.runtime.start_pause(sandbox, [bare], 26, 26)
    except BoxError as error:
        found["bare"] = str(error)
    either = await stage.runtime.start_pause(sandbox, [bare, stage.image], 26, 26)
    found["either"] = str(either.ended)
    return found


def test_what_cannot_be_shared_is_said(mode: Mode) -> None:
    """A pause that has ended, and images that have not its programs, of which one must."""
    seen = play(mode, refused)
    assert seen["late"].startswith("container in pod-2: bwrap ended with code 1")
    assert seen["bare"].startswith("pause in pod-2: no image has the programs")
    assert seen["either"] == "False"


async def given_up(stage: Stage) -> list[str]:
    sandbox = await stage.sandbox()
    pause = await paused(stage, sandbox)
    root = await stage.runtime.mount_root(stage.image)
    # What is to announce that the container is complete never does.
    shell = root.path / "bin/sh"
    shell.unlink()
    shell.write_text("#!/bin/bash\necho started\nsleep 1000\n")
    shell.chmod(0o755)
    async with Heard() as heard:
        fields = {"streams": heard.streams, "processes": pause.namespace}
        start = asyncio.create_task(
            stage.runtime.start(stage.spec(sandbox, root, ["true"], **fields))
        )
        said = [await heard.line()]
        start.cancel()
        await asyncio.wait([start])
        return [*said, await heard.rest(), str(start.cancelled()), str(pause.ended)]


def test_a_container_whose_start_is_given_up_ends_without_its_pause(mode: Mode) -> None:
    assert play(mode, given_up) == ["started", "", "True", "False"]


STATUS = "id -u; id -g; grep -hE 'CapEff|CapPrm|NoNewPrivs' /proc/self/status"
OPEN = "for f in /proc/{}/fd/*; do test ! -L $f || echo ${{f##*/}} $(readlink $f); done"


async def surroundings(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox()
    found: dict[str, Any] = {}
    for uid in (stage.image.config.uid, 0):
        pause = await paused(stage, sandbox, uid)
        fields: dict[str, Any] = {"processes": pause.namespace, "uid": uid, "gid": uid}
        waits = await stage.sleeper(sandbox, **fields)
        users = stage.runtime.users
        # Of several users, the pause's is its own, and none other may look into it.
        same: dict[str, Any] = {}
        if users.several:
            same = {"uid": users.pause, "gid": users.pause}

        async def started(script: str, fields: dict[str, Any] = fields, **others: Any) -> str:
            given = fields | others
            return (await stage.output(sandbox, "sh", "-c", script, **given)).stdout.decode()

        found[str(uid)] = {
            "started": (await started(STATUS)).split(),
            "entered": await words(stage, waits, "sh", "-c", STATUS),
            "own": (await started(OPEN.format("self"))).splitlines(),
            "the pause's": (await started(OPEN.format(1), **same)).splitlines(),
            "writes": (await started("touch /proc/1/root/x || echo $?", **same)).splitlines()[-1],
        }
        await stage.runtime.end_pause(pause)
    return found


def test_no_container_on_a_pause_has_a_privilege_or_a_descriptor_of_the_boxs(mode: Mode) -> None:
    """Nor has the pause a descriptor, or a file that may be written."""
    for uid, seen in play(mode, surroundings).items():
        for way in ("started", "entered"):
            status = [uid, uid, "CapPrm:", NOTHING, "CapEff:", NOTHING, "NoNewPrivs:", "1"]
            assert seen[way] == status, (uid, way)
        assert [line.split()[0] for line in seen["own"]] == ["0", "1", "2"], uid
        assert seen["the pause's"] == [f"{number} /dev/null" for number in range(3)], uid
        assert seen["writes"] == "1", uid

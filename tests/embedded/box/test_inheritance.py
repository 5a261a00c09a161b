"""A program in a container inherits nothing of the spawner's, the launcher's or the user's."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys

from embedded.runtime.client import Process
from embedded.runtime.model import Streams
from tests.embedded.box.modes import Mode
from tests.embedded.box.playing import play
from tests.embedded.box.scene import Stage
from tests.terminals import read_to_end

# The shell has closed the directory of its own pattern by the time the names are tested.
DESCRIPTORS = "for f in /proc/$$/fd/*; do test ! -e $f || echo ${f##*/}; done"
STREAMS = ["0", "1", "2"]
# As first fields of lines of /proc/self/status (proc_pid_status(5)).
STATUS = {"SigBlk:": "0000000000000000", "SigIgn:": "0000000000000000", "Umask:": "0022"}

SCENE = ("-m", "tests.embedded.box.scene", __name__, "through_each_way")


async def through_each_way(stage: Stage, script: str) -> dict[str, str]:
    """Run a script in every way that a program comes into a container; gives what each printed."""
    sandbox = await stage.sandbox()
    seen: dict[str, bytes] = {}
    for name, uid in (("user", stage.image.config.uid), ("root", 0)):
        waits = await stage.sleeper(sandbox, uid=uid, gid=uid)
        started = await stage.output(sandbox, "sh", "-c", script, uid=uid, gid=uid)
        entered = await stage.execute(waits, "sh", "-c", script)
        seen |= {f"main, {name}": started.stdout, f"exec, {name}": entered.stdout}
        seen[f"exec on a terminal, {name}"] = await _on_terminal(stage, waits, script)
    return {name: said.decode() for name, said in seen.items()}


async def _on_terminal(stage: Stage, waits: Process, script: str) -> bytes:
    ours, theirs = os.openpty()
    streams = Streams(stdin=theirs, stdout=theirs, stderr=theirs)
    process = await stage.runtime.exec(
        waits, ["sh", "-c", script], env=stage.image.config.env, streams=streams, tty=True
    )
    os.close(theirs)
    said = await asyncio.to_thread(read_to_end, ours)
    os.close(ours)
    await process.wait()
    return said.replace(b"\r\n", b"\n")


def test_no_program_has_a_descriptor_that_is_not_its_own(mode: Mode) -> None:
    """Of the spawner's, its socket, the launcher's connection and bwrap's, none is left."""
    for way, said in play(mode, through_each_way, DESCRIPTORS).items():
        assert said.split() == STREAMS, way


STRICT = """
import os, signal, sys
os.umask(0o077)
for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_signals_and_umask_are_the_usual_ones(mode: Mode) -> None:
    """Whatever the spawner itself ignores, and whatever whoever started it has."""
    scene = [*SCENE, "grep -E '^(Sig|Umask)' /proc/self/status"]
    done = mode.run(["-c", STRICT, *scene])
    assert done.returncode == 0, done.stderr
    for way, said in json.loads(done.stdout).items():
        fields = dict(line.split(None, 1) for line in said.splitlines())
        assert {name: fields[name] for name in STATUS} == STATUS, way


KEYS = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
keyctl, add = {"x86_64": (250, 248), "aarch64": (219, 217)}[os.uname().machine]
assert libc.syscall(keyctl, 1, None) > 0
assert libc.syscall(add, b"user", b"of-the-launcher", b"secret", 6, -3) > 0
os.execvp(sys.argv[1], sys.argv[1:])
"""
KEYCTL = {"x86_64": 250, "aarch64": 219}[platform.machine()]
# keyctl(KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, …), of which perl wants variables.
SEARCH = f"""
perl -e '($t, $n) = ("user", "of-the-launcher"); $k = syscall({KEYCTL}, 10, -3, $t, $n, 0);
print $k > 0 ? "found" : "none"'
"""


def test_keys_of_the_users_session_stay_outside(mode: Mode) -> None:
    """In the kernel's session keyring, which programs pass on: Kerberos has tickets there."""
    assert mode.run(["-c", KEYS, "sh", "-c", SEARCH]).stdout == "found"
    done = mode.run(["-c", KEYS, sys.executable, *SCENE, SEARCH])
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout).values()) == {"none"}


SURROUNDINGS = """
pwd
cat /proc/net/unix | tail -n +2
find / -xdev -type s 2>/dev/null
tty >/dev/null 2>&1 </dev/tty && echo terminal
ls -d /run/box /proc/1/root/run/box 2>/dev/null
true
"""


def test_there_is_no_way_to_the_spawner_or_a_terminal(mode: Mode) -> None:
    """No socket by name or path, no directory of the box, no terminal unless asked for."""
    for way, said in play(mode, through_each_way, SURROUNDINGS).items():
        expected = ["/", "terminal"] if "terminal" in way else ["/"]
        assert said.split() == expected, way

"""Make the box: namespaces in which nothing of the host can be changed or reached.

The launcher forks the outer process, which leaves the host's namespaces and forks pid 1 of the box.
Either ends with its parent, and everything inside with pid 1: so whatever is killed, nothing stays.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import stat
import time
import traceback
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from embedded import syscalls
from embedded.box import steps
from embedded.box.errors import BoxUnavailableError
from embedded.box.trees import REPOSITORY, Tree, closed_ancestors, cover
from embedded.images import owners
from embedded.runtime import overlay, spawner
from embedded.runtime.links import ADDRESS, BRIDGE
from embedded.runtime.netlink import Netlink
from embedded.runtime.sandboxes import write_setting

UMASK = 0o022
RUN = Path("/run")
STATE = RUN / "box"
SPAWNER = STATE / "spawner"
# Some hundred times what it takes on a quiet machine.
DEADLINE = 60.0
TAIL_LINES = 5
# An ordinary user's PATH may lack the place of nft.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"}
_ROUTING = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
}


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box that runs. `connection` speaks to its spawner; `outer` and `init` are host's pids."""

    connection: socket.socket
    outer: int
    init: int
    init_pidfd: int

    def kill(self) -> None:
        """Let everything in it end; it may have ended by itself, or have been killed before."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.init_pidfd, signal.SIGKILL)

    def end(self, deadline: float = DEADLINE) -> None:
        """Kill it, and wait until everything in it has ended.

        Raises TimeoutError after `deadline` seconds.
        """
        self.connection.close()
        self.kill()
        # Its exit is seen only when all processes of its pid namespace have ended.
        if not select.select([self.init_pidfd], [], [], deadline)[0]:
            raise TimeoutError(
                f"the box (pid {self.init}) has not ended {deadline} s after SIGKILL"
            )
        os.close(self.init_pidfd)
        os.waitpid(self.outer, 0)


def check_open(trees: Iterable[Tree]) -> None:
    """See that the box's uid may enter the trees themselves: what covers the way is dealt with.

    Raises BoxUnavailableError.
    """
    for tree in trees:
        if os.geteuid() == 0 and tree.path.stat().st_mode & 0o005 != 0o005:
            text = f"embedded: {tree.path} is closed to others, and root's box runs as another uid"
            raise BoxUnavailableError(f"{text}: chmod -R o+rX {tree.path}, or run as its owner")


def create(trees: Sequence[Tree], log: int) -> Box:
    """Make a box in which `trees` are seen.

    `log` is where the box's own words go; all other descriptors are closed there. The caller has
    a single thread. Raises BoxUnavailableError.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    read_end, reports = os.pipe()
    mapped, go = os.pipe()
    launcher = os.getpid()
    outer = os.fork()
    if outer == 0:
        detach(log, [theirs.fileno(), reports, mapped])
        _run_outer(trees, theirs, reports, mapped, launcher)
    theirs.close()
    os.close(reports)
    os.close(mapped)
    # Unbuffered, for select to see each line.
    with (
        os.fdopen(read_end, "rb", buffering=0) as report,
        os.fdopen(go, "wb", buffering=0) as may_go,
    ):
        try:
            init = _follow(report, outer, may_go, log)
        except BaseException:
            ours.close()
            raise
    return Box(connection=ours, outer=outer, init=init, init_pidfd=os.pidfd_open(init))


def _follow(report: IO[bytes], outer: int, may_go: IO[bytes], log: int) -> int:
    """Take the outer process's reports to the end; returns the pid of the box's init."""
    reported: dict[str, Any] = {}
    end = time.monotonic() + DEADLINE
    while not {"init", "ready"} <= reported.keys():
        latest = _next(report, end)
        reported = latest | reported
        if "map" in latest:
            reported |= _map(outer)
            may_go.close()
        if "refused" in reported:
            os.kill(outer, signal.SIGKILL)
            os.waitpid(outer, 0)
            raise BoxUnavailableError(reported["refused"] or ended("it was made", log))
    init: int = reported["init"]
    return init


def _next(report: IO[bytes], end: float) -> dict[str, Any]:
    if not select.select([report], [], [], max(0.0, end - time.monotonic()))[0]:
        return {"refused": f"embedded: the box did not come up within {DEADLINE:.0f} s"}
    line = report.readline()
    if not line:
        return {"refused": ""}
    report_line: dict[str, Any] = json.loads(line)
    return report_line


def last_words(log: Path) -> str:
    """Return the last lines of a log of the box; empty where it has none."""
    text = log.read_text(errors="replace") if log.exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-TAIL_LINES:])


def ended(while_what: str, log: int) -> str:
    """Return the line that says that the box ended, with the last words of its log."""
    # A log that is a file can be read by way of the descriptor that writes it.
    readable = stat.S_ISREG(os.fstat(log).st_mode)
    words = " / ".join(last_words(Path(f"/proc/self/fd/{log}")).splitlines()) if readable else ""
    unsaid = "without a word, as one that was killed: by the kernel if memory ran out, see dmesg"
    return f"embedded: the box ended while {while_what}: {words or unsaid}"


def _map(outer: int) -> dict[str, Any]:
    try:
        users = owners.ALL_USERS if owners.several() else owners.ONE_USER
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{outer}/{name}").write_text(users)
    except OSError as error:
        return {"refused": steps.refusal(steps.OTHER_USER, str(error))}
    return {}


def detach(log: int, keep: Sequence[int]) -> None:
    """Let go of the terminal, and of all descriptors but `keep`; `log` becomes the output."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    kept = {0, 1, 2, *keep}
    for entry in list(Path("/proc/self/fd").iterdir()):
        if int(entry.name) not in kept:
            _close_quietly(int(entry.name))


def _close_quietly(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        # The one that listed the directory is gone already.
        return


def _report(reports: int, **facts: Any) -> None:
    os.write(reports, json.dumps(facts).encode() + b"\n")


def _tell_failure(reports: int, error: BaseException) -> None:
    """Say what went wrong, in the log and to the launcher; of a step it has been told already."""
    traceback.print_exc()
    words = f"{type(error).__name__}: {error}"
    _report(reports, refused=f"embedded: the box ended while it was made: {words}")


def _run_outer(
    trees: Sequence[Tree], connection: socket.socket, reports: int, mapped: int, launcher: int
) -> NoReturn:
    try:
        syscalls.name_process("box-outer")
        # Directories are made on the way to what the box must reach, whoever starts it.
        os.umask(UMASK)
        # Where that call is refused, no program in the box can use a key either.
        with suppress(OSError):
            syscalls.new_session_keyring()
        _allow_open_files()
        _new_user(trees, reports, mapped)
        syscalls.die_with_parent()
        if os.getppid() != launcher:
            os._exit(1)
        with steps.step(steps.MOUNTS, reports):
            syscalls.unshare(syscalls.NEWNS | syscalls.NEWIPC | syscalls.NEWUTS)
            syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
        with steps.step(steps.NETWORK, reports):
            syscalls.unshare(syscalls.NEWNET)
        with steps.step(steps.PIDS, reports):
            syscalls.unshare(syscalls.NEWPID)
        outer = os.pidfd_open(os.getpid())
        init = os.fork()
        if init == 0:
            _run_init(trees, connection, reports, outer)
        _report(reports, init=init)
        os.close(reports)
        connection.close()
        os.waitpid(init, 0)
    except BaseException as error:
        _tell_failure(reports, error)
    finally:
        os._exit(1)


def _allow_open_files() -> None:
    # The node holds some for each container, and the soft limit is 1024 as a rule.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _new_user(trees: Sequence[Tree], reports: int, mapped: int) -> None:
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        with steps.step(steps.USER, reports):
            syscalls.unshare(syscalls.NEWUSER)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {uid} 1\n")
            Path("/proc/self/gid_map").write_text(f"0 {gid} 1\n")
        return
    with steps.step(steps.MOUNTS, reports):
        syscalls.unshare(syscalls.NEWNS)
        syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    with steps.step(steps.MEMORY, reports):
        for top in sorted({top for tree in trees for top in closed_ancestors(tree.path)}):
            cover(top, trees)
    with steps.step(steps.OTHER_USER, reports):
        os.setgroups([])
        syscalls.unshare(syscalls.NEWUSER)
        _report(reports, map=True)
        select.select([mapped], [], [], DEADLINE)
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        syscalls.set_dumpable()


def _run_init(
    trees: Sequence[Tree], connection: socket.socket, reports: int, outer: int
) -> NoReturn:
    try:
        syscalls.die_with_parent()
        if select.select([outer], [], [], 0)[0]:
            os._exit(1)
        syscalls.name_process("box-init")
        listener = _furnish(trees, reports)
        spawner.execute(REPOSITORY, listener, connection, reports)
    except BaseException as error:
        _tell_failure(reports, error)
    finally:
        os._exit(1)


def _furnish(trees: Sequence[Tree], reports: int) -> socket.socket:
    with steps.step(steps.PROC, reports):
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
        syscalls.mount("proc", "/proc", "proc", flags)
    with steps.step(steps.MEMORY, reports):
        cover(RUN, trees)
        STATE.mkdir()
    with steps.step(steps.OVERLAY, reports):
        overlay.try_one(STATE / "tried")
    with steps.step(steps.BRIDGE, reports):
        _network()
    # What is spawned without an environment of its own gets this, and nothing of the user's.
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    syscalls.set_hostname("embedded")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(SPAWNER))
    listener.listen()
    return listener


def _network() -> None:
    kernel = Netlink()
    for name, value in _ROUTING.items():
        write_setting(name, value)
    kernel.set_up(socket.if_nametoindex("lo"))
    # A locally administered address, made of the IP address.
    kernel.add_bridge(BRIDGE, b"\x02\x00" + ADDRESS.ip.packed)
    bridge = socket.if_nametoindex(BRIDGE)
    kernel.add_address(bridge, ADDRESS)
    kernel.set_up(bridge)
    kernel.close()

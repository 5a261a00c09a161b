"""An embedded platform that a test brings up by its command line, and may kill."""

from __future__ import annotations

import base64
import json
import os
import select
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.embedded.announced import announced
from tests.embedded.box.modes import Mode

SECONDS = 90


@dataclass(frozen=True)
class World:
    """The processes of one box, by the pids of the host, and the namespaces they are in."""

    outer: int
    init: int
    inside: frozenset[int]
    namespaces: tuple[int, ...]

    def named(self, words: str) -> int:
        """The pid of the process whose command line has `words`."""
        return next(pid for pid in self.inside if words in command_line(pid))

    def inhabitants(self) -> list[str]:
        """The command lines of all processes that are in one of the namespaces still.

        Those are held open until now: the kernel would give their numbers to others.
        """
        numbers = {os.fstat(descriptor).st_ino for descriptor in self.namespaces}
        found = [p for p in _processes() if _namespaces(p) & numbers and not _has_ended(p)]
        for descriptor in self.namespaces:
            os.close(descriptor)
        return [f"{pid}: {command_line(pid)}" for pid in found]


class Up:
    """`python -m embedded up --json`, running."""

    def __init__(self, process: subprocess.Popen[str], said: dict[str, Any]) -> None:
        self.process = process
        self.said = said
        self.kubeconfig = Path(said["kubeconfig"])

    def ask(self, **command: str | list[str]) -> dict[str, Any]:
        """Send a command; returns the answer."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def get(self, path: str, *, token: str | None = None) -> Any:
        """GET from the API, as the kubeconfig says. Raises urllib.error.HTTPError."""
        config = json.loads(self.kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
        bearer = user["token"] if token is None else token
        request = urllib.request.Request(cluster["server"] + path)
        request.add_header("Authorization", f"Bearer {bearer}")
        try:
            with urllib.request.urlopen(request, timeout=SECONDS, context=context) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()  # else it holds the connection for as long as somebody holds it
            raise

    @cached_property
    def world(self) -> World:
        """Return its processes, to be looked at before it is killed."""
        outer = next(pid for pid in descendants(self.process.pid) if _name(pid) == "box-outer")
        init = next(pid for pid in descendants(outer) if _name(pid) == "box-init")
        inside = frozenset({init, *descendants(init)})
        own = _namespaces(os.getpid())
        files = {
            number: Path(f"/proc/{pid}/ns/{kind}")
            for pid in inside
            for kind in _KINDS
            if (number := _namespace(pid, kind)) not in own | {0}
        }
        held = tuple(os.open(file, os.O_RDONLY | os.O_CLOEXEC) for file in files.values())
        return World(outer, init, inside, held)

    @cached_property
    def keeper(self) -> int:
        """The process that removes the directory."""
        return next(p for p in descendants(self.process.pid) if _name(p) == "box-keeper")


_KINDS = ("net", "mnt", "pid", "user", "ipc", "uts")


@contextmanager
def brought_up(mode: Mode, *arguments: str) -> Iterator[Up]:
    """Bring a platform up; it is taken down at the end, if the test has not done it."""
    with mode.popen(["-m", "embedded", "up", "--json", *arguments]) as process:
        try:
            assert process.stdout
            try:
                up = announced(process.stdout)
            except EOFError:
                raise AssertionError(process.communicate(timeout=SECONDS)[1]) from None
            yield Up(process, up)
            if process.poll() is None:
                process.communicate(timeout=SECONDS)
        finally:
            process.kill()


def wait_gone(pids: Sequence[int]) -> None:
    """Wait until all of these processes have ended."""
    for pid in pids:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            assert select.select([pidfd], [], [], SECONDS)[0], command_line(pid)
        finally:
            os.close(pidfd)


def command_line(pid: int) -> str:
    """The command line of a process; empty for one that has ended."""
    return _read(f"/proc/{pid}/cmdline").replace("\0", " ")


def processes_of(directory: Path) -> list[int]:
    """The processes that have `directory` in their command line or environment."""
    words = str(directory)
    return [
        pid
        for pid in _processes()
        if not _has_ended(pid) and words in command_line(pid) + _read(f"/proc/{pid}/environ")
    ]


def _name(pid: int) -> str:
    return _read(f"/proc/{pid}/comm").strip()


def _namespaces(pid: int) -> set[int]:
    return {_namespace(pid, kind) for kind in _KINDS} - {0}


def _namespace(pid: int, kind: str) -> int:
    try:
        return Path(f"/proc/{pid}/ns/{kind}").stat().st_ino
    except OSError:
        return 0


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def descendants(pid: int) -> list[int]:
    """The children of a process, their children and so on."""
    parents = {each: _parent(each) for each in _processes()}
    found, new = [], [pid]
    while new:
        new = [each for each, parent in parents.items() if parent in new]
        found += new
    return found


def _has_ended(pid: int) -> bool:
    # What is orphaned is the machine's own init's to reap, and not every one is quick.
    return _status(pid)[:1] in ([], ["Z"])


def _parent(pid: int) -> int:
    fields = _status(pid)
    return int(fields[1]) if fields else -1


def _status(pid: int) -> list[str]:
    # proc(5): the name, in brackets, may hold anything; state and parent come after it.
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""

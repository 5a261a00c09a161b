"""What processes use, by the kernel's own account (proc(5)): memory and processor time."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import BenchError

_PROC = Path("/proc")
_KIB_PER_MIB = 1024
_TICKS = os.sysconf("SC_CLK_TCK")
_LISTENS = "0A"
_GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True)
class Process:
    """A process, with the namespace of its PID (an empty one where it has just ended)."""

    pid: int
    parent: int
    namespace: str


def descendants(root: int) -> list[Process]:
    """Return a process and all below it. Raises BenchError where it has ended."""
    everyone = {process.pid: process for process in _processes()}
    if root not in everyone:
        raise BenchError(f"process {root} has ended")
    children: dict[int, list[Process]] = {}
    for process in everyone.values():
        children.setdefault(process.parent, []).append(process)
    found = [everyone[root]]
    for process in found:  # grows meanwhile
        found += children.get(process.pid, ())
    return found


def memory(processes: Collection[Process]) -> float:
    """Return their proportional set size in MiB: what several share counts for each in part.

    Raises BenchError where the kernel does not let us look.
    """
    return sum(_proportional(process.pid) for process in processes) / _KIB_PER_MIB


def listeners(port: int) -> frozenset[int]:
    """Return the processes of this machine that hold a listening socket of a port."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    return frozenset(
        process.pid for process in _processes() if sockets.intersection(_open_files(process.pid))
    )


def arguments(pid: int) -> list[str]:
    """Return the command line of a process; an empty one where it has ended."""
    with suppress(*_GONE):
        return (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    return []


def processor_time(pids: Collection[int]) -> float:
    """Return the seconds that processes have worked. Raises BenchError for one that ended."""
    return sum(_processor_time(pid) for pid in pids)


def _processes() -> Iterator[Process]:
    for directory in _PROC.iterdir():
        if directory.name.isdecimal():
            with suppress(*_GONE):
                parent = int(_fields(int(directory.name))[1])
                yield Process(int(directory.name), parent, _namespace(directory))


def _namespace(directory: Path) -> str:
    try:
        return str((directory / "ns" / "pid").readlink())
    except PermissionError:
        return ""


def _fields(pid: int) -> list[str]:
    """Return what follows the name, which may hold anything: the first is the state."""
    stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    return stat.rpartition(")")[2].split()


def _proportional(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
    except _GONE:
        return 0
    except PermissionError as error:
        raise BenchError(f"memory of process {pid}: {error.strerror}") from error
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _processor_time(pid: int) -> float:
    try:
        user, system = _fields(pid)[11:13]
    except _GONE as error:
        raise BenchError(f"process {pid} has ended") from error
    return (int(user) + int(system)) / _TICKS


def _listening(port: int) -> Iterator[str]:
    for family in ("tcp", "tcp6"):
        for line in (_PROC / "net" / family).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _open_files(pid: int) -> Iterator[str]:
    with suppress(PermissionError, *_GONE):
        for file in (_PROC / str(pid) / "fd").iterdir():
            with suppress(*_GONE):
                yield str(file.readlink())


def is_local(host: str) -> bool:
    """Return whether a host's name or address leads to this machine's loopback."""
    addresses = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    return all(str(address).startswith("127.") or address == "::1" for address in addresses)

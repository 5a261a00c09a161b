"""Processes that a container leaves behind where it shares its processes with others.

Alone, all ends with its first process, pid 1 of its namespace. Beside others they are known by the
container's mount namespace, as a container runtime knows them by a control group.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import ExitStack, suppress
from pathlib import Path

_log = logging.getLogger(__name__)
_PROCESSES = Path("/proc")
_SECONDS = 10.0  # in which killed processes are gone


async def end(mounts: int) -> None:
    """Kill the processes in the mount namespace `mounts`, a descriptor, until there is none."""
    try:
        async with asyncio.timeout(_SECONDS):
            while await _killed(mounts):
                pass
    except TimeoutError:
        _log.warning("a container's processes are still there %g s after SIGKILL", _SECONDS)


async def _killed(mounts: int) -> bool:
    """Kill those there are, and see their end; say whether there were any."""
    with ExitStack() as opened:
        found = await asyncio.to_thread(_processes, mounts)
        for pidfd in found:
            opened.callback(os.close, pidfd)
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        for pidfd in found:
            await _ended(pidfd)
    return bool(found)


def _processes(mounts: int) -> list[int]:
    """Return pidfds of the processes that are in `mounts`."""
    found = []
    for entry in _PROCESSES.iterdir():
        if entry.name.isdecimal() and _is_in(entry, mounts):
            with suppress(ProcessLookupError):
                pidfd = os.pidfd_open(int(entry.name))
                # The number may have become another's before it was opened.
                if _is_in(entry, mounts):
                    found.append(pidfd)
                else:
                    os.close(pidfd)
    return found


def _is_in(process: Path, mounts: int) -> bool:
    try:
        return os.path.samestat((process / "ns/mnt").stat(), os.fstat(mounts))
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        # It has ended: the kernel refuses the link of one that ends just then.
        return False


async def _ended(pidfd: int) -> None:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    loop.add_reader(pidfd, _settle, ended)
    try:
        await ended
    finally:
        loop.remove_reader(pidfd)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

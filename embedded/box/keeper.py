"""The keeper: a process that ends the launcher with its starter, and clears up after it.

The launcher itself cannot watch: while it makes images it waits for programs.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from embedded import syscalls
from embedded.box.errors import WrongUseError
from embedded.box.namespaces import detach

# How long the launcher may take to end when told to, before it is killed.
_END_SECONDS = 30.0
_STANDARD_INPUT = 0
_NO_EVENTS = 0


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """The end of the launcher, besides Ctrl-C and its like.

    `starter` is the pid of the process that started it, None for nobody; with `only_until_up` it
    lives on once the platform is up. With `by_input` it ends when its input does, also while the
    platform comes up; but not where there was no input in the first place.
    """

    starter: int | None = None
    only_until_up: bool = False
    by_input: bool = False


@dataclass(frozen=True)
class _Watch:
    """A descriptor that tells the end by `events`, or by a hang-up where those are none."""

    descriptor: int
    events: int
    only_until_up: bool


class Keeper:
    """The process, seen from the launcher."""

    def __init__(self, directory: Path, lifetime: Lifetime) -> None:
        """Start it; it removes `directory` after the launcher's end, in whatever way that comes.

        Raises WrongUseError where the starter is not, or no longer, the launcher's parent.
        """
        watched = _watched(lifetime)
        launcher = os.pidfd_open(os.getpid())
        up, self._coming_up = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _keep(directory, launcher, up, watched)
        for descriptor in (launcher, up, *(watch.descriptor for watch in watched)):
            os.close(descriptor)

    def tell_up(self) -> None:
        """Say that the platform is up."""
        os.close(self._coming_up)

    def end(self) -> None:
        """End it; nothing is left to keep."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _watched(lifetime: Lifetime) -> list[_Watch]:
    watched = []
    if lifetime.starter is not None:
        # Our parent is who is meant; and it is there still, or we had another by now.
        with suppress(ProcessLookupError):
            starter = os.pidfd_open(lifetime.starter)
            watched.append(_Watch(starter, select.POLLIN, only_until_up=lifetime.only_until_up))
        if os.getppid() != lifetime.starter:
            raise WrongUseError(f"--starter {lifetime.starter}: it has ended, or is not our parent")
    if lifetime.by_input and not _is_hung_up(_STANDARD_INPUT):
        # Once it is up, whoever takes the commands comes to their end.
        watched.append(_Watch(os.dup(_STANDARD_INPUT), _NO_EVENTS, only_until_up=True))
    return watched


def _is_hung_up(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, _NO_EVENTS)
    return bool(poll.poll(0))


def _keep(directory: Path, launcher: int, up: int, watched: list[_Watch]) -> NoReturn:
    try:
        syscalls.name_process("box-keeper")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        detach(
            os.open(os.devnull, os.O_RDWR), [launcher, up, *(watch.descriptor for watch in watched)]
        )
        _await_end(launcher, up, watched)
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        os._exit(0)


def _await_end(launcher: int, up: int, watched: list[_Watch]) -> None:
    """Return when the launcher has ended: by itself, for which no deadline can be given, or by us.

    Of the input only the hang-up is polled for: commands in it are not the keeper's.
    """
    poll = select.poll()
    poll.register(launcher, select.POLLIN)
    poll.register(up, _NO_EVENTS)
    for watch in watched:
        poll.register(watch.descriptor, watch.events)
    while launcher not in (seen := {descriptor for descriptor, _ in poll.poll()}):
        if up not in seen:
            _end(launcher)
            return
        # The launcher has closed its end. Whoever heard that it is up may have ended since, so this
        # goes before all else that is seen with it.
        poll.unregister(up)
        for watch in watched:
            if watch.only_until_up:
                poll.unregister(watch.descriptor)


def _end(launcher: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(launcher, number)
        if select.select([launcher], [], [], _END_SECONDS)[0]:
            return

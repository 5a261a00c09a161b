"""The steps of a forked child up to the program that it executes; they never return."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import stat
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from embedded import syscalls
from embedded.runtime.users import Identity

# Above all numbers that a program is given, so that no source is overwritten before its turn.
_ASIDE = 200
_CONTAINER = syscalls.NEWUSER | syscalls.NEWNS | syscalls.NEWIPC | syscalls.NEWUTS | syscalls.NEWNET
_TO_DEFAULT = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
_UMASK = 0o022


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program to execute, and its surroundings.

    `descriptors` are pairs of the number the program sees and the descriptor it is. `join` are
    namespaces to enter first; `enter` is the pidfd of a process whose container to enter, in whose
    pid namespace the child was made.
    `identity` is who runs it, the box's root if None.
    `open_files` is how many it may have, until it asks for more; None is as many as we may.
    """

    argv: Sequence[str]
    env: Mapping[str, str] | None
    cwd: str
    descriptors: Sequence[tuple[int, int]]
    join: Sequence[int]
    enter: int | None
    identity: Identity | None
    tty: bool
    open_files: int | None


def execute_program(program: Program, report: int, last_capability: int) -> NoReturn:
    """Execute `program`, in a process just forked.

    It has the descriptors of `program` and no others, and umask and signals as programs usually do.
    `report` closes when it is executed. Before, it carries a line that says why that failed.
    """
    try:
        for namespace in program.join:
            syscalls.setns(namespace)
        if program.enter is not None:
            _enter_container(program.enter, last_capability, program.identity)
        _reset_signals()
        os.setsid()
        os.umask(_UMASK)
        _arrange(program.descriptors)
        if program.open_files is not None:
            _limit_open_files(program.open_files)
        if program.tty:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        if program.identity is not None:
            _give_streams(program.identity.streams)
            program.identity.take()
        os.chdir(program.cwd)
        env = os.environ if program.env is None else program.env
        os.execvpe(program.argv[0], list(program.argv), dict(env))  # noqa: S606
    except BaseException as error:  # whatever it is, a child must not go on
        os.write(report, f"{program.argv[0]}: {error}\n".encode())
        os._exit(127)


def _enter_container(pidfd: int, last_capability: int, identity: Identity | None) -> None:
    syscalls.setns(pidfd, _CONTAINER)
    syscalls.drop_privileges(last_capability, () if identity is None else identity.capabilities)


def _give_streams(uid: int) -> None:
    """Let who runs the program open its streams again, by way of /dev/stdout."""
    for descriptor in range(3):
        status = os.fstat(descriptor)
        # One from outside of the box is of nobody inside.
        own = status.st_uid == os.geteuid()
        if own and (stat.S_ISFIFO(status.st_mode) or os.isatty(descriptor)):
            os.fchown(descriptor, uid, -1)


def _reset_signals() -> None:
    for number in _TO_DEFAULT:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _limit_open_files(number: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, hard), hard))


def _arrange(descriptors: Sequence[tuple[int, int]]) -> None:
    aside = [
        (target, fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, _ASIDE))
        for target, source in descriptors
    ]
    # Whatever else this process or the spawner has open must not reach the program.
    syscalls.keep_streams_only()
    for target, source in aside:
        os.dup2(source, target, inheritable=True)

"""Programs that end with whoever started them, and all that they started: as pid 1 of a sandbox.

A parent that is killed cannot end its children, so the kernel must.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO

_SECONDS = 60.0
# All of the machine is seen, but no process besides the sandbox's own.
_MACHINE = ("--dev-bind", "/", "/", "--proc", "/proc")
# Before a program runs, bwrap has bound itself to us and the sandbox to itself; but it does not see
# whether we had died by then. Then nobody listens.
_IF_HEARD = ("/bin/sh", "-c", 'echo >&0 && exec "$@" </dev/null', "sh")


def command_line(
    command: Sequence[str], *, options: Sequence[str] = (), files: Sequence[str] = _MACHINE
) -> list[str]:
    """Return the command line that runs `command` in a sandbox of its own.

    `options` and `files` are bwrap(1)'s; `files` are what is seen, the machine itself by default.
    """
    binding = ("--unshare-pid", "--as-pid-1", "--die-with-parent")
    return ["bwrap", *options, *binding, *files, "--chdir", "/", "--", *command]


def program(command: Sequence[str]) -> str:
    """Return what such a command line runs."""
    return command[command.index("--") + 1]


def run(
    command: Sequence[str],
    seconds: float,
    *,
    output: IO[bytes],
    lock: int,
    user: int | None = None,
    more: Mapping[str, str] | None = None,
) -> int:
    """Run such a command line to its end; returns the exit code.

    When this returns or raises, none of the sandbox's processes is left; when this process is
    killed, each is by the kernel. The descriptor `lock` is held open by them until then. They get
    our environment and `more`. Raises FileNotFoundError where there is no bwrap, TimeoutExpired
    after `seconds`, and TimeoutError where they do not end.
    """
    listener, notifier = os.pipe()
    info_reader, info_writer = os.pipe()
    at = command.index("--") + 1
    with os.fdopen(listener), os.fdopen(info_reader, "rb") as info:
        try:
            process = subprocess.Popen(
                [
                    *command[: at - 1],
                    "--info-fd",
                    str(info_writer),
                    "--",
                    *_IF_HEARD,
                    *command[at:],
                ],
                stdin=notifier,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(info_writer, lock),
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                cwd="/",
                env={**os.environ, **(more or {})},
            )
        finally:
            os.close(notifier)
            os.close(info_writer)
        return _followed(process, info, seconds)


def _followed(process: subprocess.Popen[bytes], info: IO[bytes], seconds: float) -> int:
    first = -1
    with process:
        try:
            first = _first_process(info)
            return process.wait(timeout=seconds)
        except BaseException:
            process.kill()
            raise
        finally:
            _wait_until_empty(first)


def _first_process(info: IO[bytes]) -> int:
    """Return a pidfd of the sandbox's pid 1, or -1 where it has ended, or was never made."""
    if not select.select([info], [], [], _SECONDS)[0]:
        return -1
    try:
        return os.pidfd_open(json.loads(info.read())["child-pid"])
    except (ValueError, ProcessLookupError):
        return -1


def _wait_until_empty(first: int) -> None:
    if first < 0:
        return
    try:
        # The end of a pid 1 is seen only when all processes of its namespace have ended.
        if not select.select([first], [], [], _SECONDS)[0]:
            raise TimeoutError(f"a killed program has not ended within {_SECONDS:.0f} s")
    finally:
        os.close(first)

"""Ending with tox: told to end, tox goes and leaves running what it started."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def end_with_tox() -> None:
    """Have SIGTERM sent to this process at the end of the tox that started it, if one did.

    The parent of a process without tox may be a shell that is left on purpose, with nohup for
    example. Raises OSError.
    """
    if "TOX_ENV_NAME" not in os.environ:
        return
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM), *[ctypes.c_ulong(0)] * 3):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl: {os.strerror(number)}")
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)

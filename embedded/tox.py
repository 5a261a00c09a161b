"""Ending with who started us, where that is tox: told to end, it goes, and leaves us running."""

from __future__ import annotations

import os
import signal

from embedded import syscalls


def end_with_tox() -> None:
    """Have SIGTERM sent to this process at the end of the tox that started it, if one did.

    Without tox the parent may be a shell that is left on purpose, with nohup for example. Raises
    OSError.
    """
    if "TOX_ENV_NAME" not in os.environ:
        return
    parent = os.getppid()
    syscalls.end_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)

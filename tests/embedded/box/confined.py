"""Run the platform behind a bar: `python -m tests.embedded.box.confined BAR ARGUMENT…`.

The arguments are those of `python -m embedded`. A bar is one of

- `limit=KIND`: no more namespaces of a kind, as in /proc/sys/user/max_KIND_namespaces;
- `bind=SOURCE:TARGET`: SOURCE in place of TARGET;
- `deny=CALL:INDEX:VALUE`: a system call whose argument at INDEX is VALUE fails with EPERM.

Whoever is root stays root, in a user namespace that has the lower 65536 ids.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from embedded import syscalls

_IDS = 65536
_CALLS = {"x86_64": {"mount": 165, "socket": 41}, "aarch64": {"mount": 40, "socket": 198}}
# linux/bpf_common.h, linux/seccomp.h
_LOAD, _UNLESS, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF_0000, 0x0005_0000
_ARGUMENTS = 16  # where they begin in struct seccomp_data; its first field is the call's number
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2


def main() -> None:
    """Put up the bar, and become the platform."""
    kind, _, value = sys.argv[1].partition("=")
    bars: dict[str, Callable[..., None]] = {"limit": _limit, "bind": _bind, "deny": _deny}
    bars[kind](*value.split(":"))
    os.execv(sys.executable, [sys.executable, "-m", "embedded", *sys.argv[2:]])


def _limit(kind: str) -> None:
    _enter_user_namespace()
    Path(f"/proc/sys/user/max_{kind}_namespaces").write_text("0")


def _bind(source: str, target: str) -> None:
    _enter_user_namespace()
    syscalls.unshare(syscalls.NEWNS)
    syscalls.mount(source, target, "", syscalls.MS_BIND)


def _enter_user_namespace() -> None:
    uid, gid, ours = os.geteuid(), os.getegid(), os.getpid()
    maps = {"uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
    if uid == 0:
        maps = dict.fromkeys(maps, f"0 0 {_IDS}")
    entered, tell = os.pipe()
    # Only from outside can more than one id be mapped.
    mapper = os.fork()
    if mapper == 0:
        os.close(tell)
        os.read(entered, 1)
        if uid != 0:
            Path(f"/proc/{ours}/setgroups").write_text("deny")
        for name, text in maps.items():
            Path(f"/proc/{ours}/{name}").write_text(text)
        os._exit(0)
    syscalls.unshare(syscalls.NEWUSER)
    os.close(tell)
    assert os.waitpid(mapper, 0)[1] == 0


def _deny(call: str, index: str, value: str) -> None:
    number = _CALLS[platform.machine()][call]
    program = [
        (_LOAD, 0, 0, 0),
        (_UNLESS, 0, 3, number),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * int(index)),
        (_UNLESS, 0, 1, int(value)),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    whole = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (_PR_SET_NO_NEW_PRIVS, 1, 0), (_PR_SET_SECCOMP, _FILTER, whole):
        if libc.prctl(*arguments, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    main()

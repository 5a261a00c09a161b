"""The system calls that Python 3.11 does not offer.

Numbers and flags are those of the kernel's `include/uapi`; each function raises OSError.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from collections.abc import Sequence
from pathlib import Path

NEWNS = 0x0002_0000
NEWUTS = 0x0400_0000
NEWIPC = 0x0800_0000
NEWUSER = 0x1000_0000
NEWPID = 0x2000_0000
NEWNET = 0x4000_0000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x4_0000
MNT_DETACH = 0x2

_CLOSE_RANGE_CLOEXEC = 0x4
_FIRST_BESIDES_STREAMS = 3
_HIGHEST_DESCRIPTOR = 0xFFFF_FFFF
_KEYCTL_JOIN_SESSION_KEYRING = 1
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}
_SYS_CLOSE_RANGE = 436
_SYS_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS = 0x2
_RESOLVE_IN_ROOT = 0x10
_LAST_CAPABILITY = Path("/proc/sys/kernel/cap_last_cap")


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)
_libc.prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
_libc.syscall.restype = ctypes.c_long


def _checked(result: int, *what: object) -> int:
    if result == -1:
        number = ctypes.get_errno()
        words = " ".join(str(word) for word in what if word)
        raise OSError(number, os.strerror(number), words)
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones."""
    _checked(_libc.unshare(flags), "unshare")


def setns(descriptor: int, flags: int = 0) -> None:
    """Enter the namespace of `descriptor`, or with a pidfd those that `flags` name."""
    _checked(_libc.setns(descriptor, flags), "setns")


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    """Attach a file system or a directory to `target`."""
    texts = [os.fsencode(text) if text else None for text in (source, target, kind, options)]
    _checked(_libc.mount(*texts[:3], flags, texts[3]), "mount", kind, target)


def unmount(target: str) -> None:
    """Take `target` out of sight at once; it ends with its last user."""
    _checked(_libc.umount2(os.fsencode(target), MNT_DETACH), "unmount", target)


def set_hostname(name: str) -> None:
    """Set the host name of the UTS namespace."""
    text = name.encode()
    _checked(_libc.sethostname(text, len(text)), "sethostname", name)


def name_process(name: str) -> None:
    """Set what `ps` shows of this process, up to 15 bytes."""
    buffer = ctypes.create_string_buffer(name.encode()[:15])
    _prctl(_PR_SET_NAME, ctypes.addressof(buffer))


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that made it ends.

    A change of credentials undoes it, so it comes after; and a parent that is gone already sends
    nothing, so the caller looks whether it still is there.
    """
    end_with_parent(signal.SIGKILL)


def end_with_parent(by: signal.Signals) -> None:
    """Have the kernel send a signal to this process when the thread that made it ends.

    As with ``die_with_parent``, which see.
    """
    _prctl(_PR_SET_PDEATHSIG, by)


def set_dumpable() -> None:
    """Give the files under /proc/self back to this process after a change of credentials."""
    _prctl(_PR_SET_DUMPABLE, 1)


def last_capability() -> int:
    """Return the highest capability number that the kernel knows."""
    return int(_LAST_CAPABILITY.read_text())


def drop_privileges(last: int, keep: Sequence[int] = ()) -> None:
    """See that no program executed from here has a capability, whatever its uid or file says.

    Root may have those of `keep`.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    for capability in range(last + 1):
        if capability not in keep:
            _prctl(_PR_CAPBSET_DROP, capability)


def keep_streams_only() -> None:
    """Have all descriptors but the standard streams closed when a program is executed."""
    arguments = (_FIRST_BESIDES_STREAMS, _HIGHEST_DESCRIPTOR, _CLOSE_RANGE_CLOEXEC)
    _system_call(_SYS_CLOSE_RANGE, "close_range", *arguments)


def new_session_keyring() -> None:
    """Leave the session keyring, and the keys in it, for an empty one."""
    number = _SYS_KEYCTL[platform.machine()]
    _system_call(number, "keyctl", _KEYCTL_JOIN_SESSION_KEYRING, 0, 0)


def open_within(root: int, path: str, flags: int) -> int:
    """Open `path` below the directory `root`, which `..` and symbolic links do not lead out of."""
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    result = _libc.syscall(
        ctypes.c_long(_SYS_OPENAT2),
        ctypes.c_ulong(root),
        os.fsencode(path),
        ctypes.byref(how),
        ctypes.c_ulong(ctypes.sizeof(how)),
    )
    return _checked(result, path)


def _system_call(number: int, name: str, *arguments: int) -> int:
    given = [ctypes.c_ulong(argument) for argument in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *given), name)


def _prctl(option: int, value: int) -> None:
    _checked(_libc.prctl(option, value, 0, 0, 0), "prctl", option)

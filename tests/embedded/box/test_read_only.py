"""A filled cache on a file system that can only be read is all that it takes."""

from __future__ import annotations

import json
from subprocess import DEVNULL

from embedded.images.cache import cache_directory
from tests.embedded.box.modes import Mode

READ_ONLY = """
import os, sys
from embedded import syscalls
if os.geteuid() != 0:
    uid, gid = os.getuid(), os.getgid()
    syscalls.unshare(syscalls.NEWUSER | syscalls.NEWNS)
    maps = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
    for name, text in maps.items():
        open(f"/proc/self/{name}", "w").write(text)
else:
    syscalls.unshare(syscalls.NEWNS)
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
cache = sys.argv[1]
syscalls.mount(cache, cache, "", syscalls.MS_BIND)
flags = syscalls.MS_BIND | syscalls.MS_REMOUNT | syscalls.MS_RDONLY
state = os.statvfs(cache).f_flag & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC)
syscalls.mount("", cache, "", flags | state)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def test_it_comes_up_with_a_cache_that_can_only_be_read(mode: Mode) -> None:
    cache = cache_directory() if mode.home is None else mode.home / "cache" / "pg-tls-conformance"
    command = ["-c", READ_ONLY, str(cache), "-m", "embedded", "up", "--json"]
    done = mode.run(command, stdin=DEVNULL)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["kubeconfig"]

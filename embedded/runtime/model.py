"""The objects of the container runtime: sandbox, root, process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The namespaces that the containers of one Pod share: network, IPC and host name.

    It lives as long as its descriptors (of `/proc/…/ns/net`, `ipc`, `uts`) are open somewhere.
    """

    name: str
    address: str
    hostname: str
    net: int
    ipc: int
    uts: int


@dataclass(frozen=True, kw_only=True)
class ProcessNamespace:
    """Descriptors of the pid namespace that containers of one Pod share, which its pause keeps.

    `owner` is the user namespace above it, `user` the one in which its processes run, with their
    one uid; None where that is `owner`, as where the box has several.
    """

    pids: int
    owner: int
    user: int | None


@dataclass(frozen=True, kw_only=True)
class Root:
    """A writable root file system: an overlay over an image, seen at `path` inside the box.

    It keeps what was written until it is unmounted, across as many starts as wished.
    """

    path: Path
    directory: Path


@dataclass(frozen=True, kw_only=True)
class Bind:
    """One volume of a container: `source` in the box is seen at `target`, made if missing."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Streams:
    """Descriptors for a process's standard streams; None is /dev/null.

    They are duplicated: whoever opened them closes them once the process has started.
    """

    stdin: int | None = None
    stdout: int | None = None
    stderr: int | None = None


class Capability(IntEnum):
    """What root of a container may do to files and processes that are not its own.

    Names and numbers are those of capabilities(7), without the prefix.
    """

    CHOWN = 0
    DAC_OVERRIDE = 1
    FOWNER = 3
    FSETID = 4
    KILL = 5
    SETGID = 6
    SETUID = 7


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """A container to start in a sandbox, on a root.

    `env` is the whole environment. Where the box has one user, a container's `uid` owns every file
    that it sees, and `groups` and `capabilities`, which root alone has, count for nothing.
    `processes` is the namespace to share with others, whose pause has that uid then; None is its
    own.
    """

    sandbox: Sandbox
    root: Root
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    binds: tuple[Bind, ...] = ()
    read_only_root: bool = False
    streams: Streams = field(default_factory=Streams)
    tty: bool = False
    processes: ProcessNamespace | None = None


@dataclass(frozen=True, kw_only=True)
class ExitStatus:
    """The end of a process, in the numbers of a container's status.

    `code` is 128 + signal where a signal ended it; `signal` is then that signal, else 0.
    """

    code: int
    signal: int = 0


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A program of the box that ran to its end."""

    status: ExitStatus
    stdout: bytes
    stderr: bytes


class BoxError(Exception):
    """The box could not do what was asked; the text says what, on what, and the system's reason."""

"""Pid 1 of the box: reaps, and does for its clients what only it may do.

One thread, no waiting but for the next event. Whoever asks decides; nothing here knows of Pods.
A fork costs what there is to copy, so this runs in an interpreter that has loaded little else.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from embedded import syscalls
from embedded.runtime import wire
from embedded.runtime.child import Program, become
from embedded.runtime.sandboxes import Home

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from embedded.runtime import spawner; spawner.main()"
)


class _Client:
    """One connection, with what it has not taken yet."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._waiting: deque[tuple[bytes, list[int]]] = deque()

    def send(self, message: wire.Message, descriptors: Sequence[int] = ()) -> None:
        """Queue a message; the descriptors are closed once it has gone."""
        self._waiting.append(wire.encode(message, descriptors))

    def flush(self) -> bool:
        """Send what can be sent; say whether something is left."""
        while self._waiting:
            packet, descriptors = self._waiting[0]
            try:
                wire.transmit(self.connection, packet, descriptors)
            except BlockingIOError:
                return True
            except OSError:
                # It has gone; reading tells the same, and takes it out.
                self.drop()
                return False
            self._waiting.popleft()
            _close(descriptors)
        return False

    def drop(self) -> None:
        """Forget what is queued."""
        while self._waiting:
            _close(self._waiting.popleft()[1])


class _Birth:
    """A child that has not executed its program yet."""

    def __init__(self, client: _Client, number: int, pid: int, report: int) -> None:
        self.client = client
        self.number = number
        self.pid = pid
        self.report = report


class Spawner:
    """The event loop. `first` is a client that is connected already."""

    def __init__(self, listener: socket.socket, first: socket.socket) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._home = Home()
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self._last_capability = syscalls.last_capability()
        self._owners: dict[int, _Client] = {}
        self._births: dict[int, _Birth] = {}
        self._strays: dict[int, int] = {}
        self._clients: list[_Client] = []
        self._woken, wakes = socket.socketpair()
        self._wakes = wakes
        self._actions: dict[str, Callable[[wire.Message, list[int]], tuple[Any, list[int]]]] = {
            "sandbox": self._sandbox,
            "socket": self._socket,
            "mount": self._mount,
            "unmount": self._unmount,
            "write": self._write,
            "kill": self._kill,
        }
        self._add_client(first)

    def serve(self) -> None:
        """Serve for ever: the box ends by a signal to this process."""
        self._listen_for_children()
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._woken, selectors.EVENT_READ, self._reap)
        gc.freeze()
        while True:
            for key, _ in self._selector.select():
                key.data()
            for client in list(self._clients):
                self._flush(client)

    def _listen_for_children(self) -> None:
        self._woken.setblocking(False)
        self._wakes.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)

    # Clients

    def _accept(self) -> None:
        self._add_client(self._listener.accept()[0])

    def _add_client(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        client = _Client(connection)
        self._clients.append(client)
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._read(client))

    def _flush(self, client: _Client) -> None:
        events = selectors.EVENT_READ
        if client.flush():
            events |= selectors.EVENT_WRITE
        key = self._selector.get_key(client.connection)
        if key.events != events:
            self._selector.modify(client.connection, events, key.data)

    def _read(self, client: _Client) -> None:
        try:
            received = wire.receive(client.connection)
        except BlockingIOError:
            return
        except wire.LostDescriptorsError as error:
            if "id" in error.message:
                client.send({"id": error.message["id"], "error": str(error)})
            else:
                self._forget(client)
            return
        except OSError:
            received = None
        if received is None:
            self._forget(client)
        else:
            self._handle(client, *received)

    def _forget(self, client: _Client) -> None:
        self._selector.unregister(client.connection)
        client.connection.close()
        client.drop()
        self._clients.remove(client)
        self._owners = {pid: owner for pid, owner in self._owners.items() if owner is not client}

    # Requests

    def _handle(self, client: _Client, message: wire.Message, descriptors: list[int]) -> None:
        number = message["id"]
        try:
            if message["do"] == "spawn":
                self._spawn(client, message, descriptors)
            else:
                answer, given = self._actions[message["do"]](message, descriptors)
                client.send({"id": number, "ok": answer}, given)
        except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
            client.send({"id": number, "error": f"{message.get('do')}: {error}"})
        finally:
            _close(descriptors)

    def _sandbox(self, message: wire.Message, _: list[int]) -> tuple[Any, list[int]]:
        return None, self._home.new_sandbox(message["hostname"])

    def _socket(self, message: wire.Message, descriptors: list[int]) -> tuple[Any, list[int]]:
        kind = (message["family"], message["type"], message["protocol"])
        return None, [self._home.socket_in(descriptors[0], *kind).detach()]

    def _mount(self, message: wire.Message, _: list[int]) -> tuple[Any, list[int]]:
        syscalls.mount(
            message["source"],
            message["target"],
            message["kind"],
            message["flags"],
            message["options"],
        )
        return None, []

    def _unmount(self, message: wire.Message, _: list[int]) -> tuple[Any, list[int]]:
        syscalls.unmount(message["target"])
        return None, []

    def _write(self, message: wire.Message, _: list[int]) -> tuple[Any, list[int]]:
        path = Path(message["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(message["mode"])
        path.write_text(message["text"])
        return None, []

    # Processes

    def _kill(self, message: wire.Message, _: list[int]) -> tuple[Any, list[int]]:
        # Until it was reaped here, its number is nobody else's.
        if message["pid"] in self._owners:
            os.kill(message["pid"], signal.SIGKILL)
        return None, []

    def _spawn(self, client: _Client, message: wire.Message, descriptors: list[int]) -> None:
        enter = message.get("enter")
        program = Program(
            argv=message["argv"],
            env=message["env"],
            cwd=message["cwd"],
            descriptors=[
                (target, self._null if index is None else descriptors[index])
                for target, index in message["descriptors"]
            ],
            join=[descriptors[index] for index in message["join"]],
            enter=None if enter is None else descriptors[enter],
            tty=message["tty"],
            open_files=message["open_files"],
        )
        report, told = os.pipe()
        try:
            pid = os.fork()
            if pid == 0:
                become(program, told, self._last_capability)
        finally:
            os.close(told)
        birth = _Birth(client, message["id"], pid, report)
        self._births[pid] = birth
        self._selector.register(report, selectors.EVENT_READ, lambda: self._born(birth))

    def _born(self, birth: _Birth) -> None:
        self._selector.unregister(birth.report)
        with os.fdopen(birth.report, "rb") as report:
            # It ends when the program is executed, or has failed: at once, either way.
            lines = report.read().decode(errors="replace").splitlines()
        del self._births[birth.pid]
        told = dict(line.partition(" ")[::2] for line in lines)
        pid = int(told.get("pid", birth.pid))
        if pid != birth.pid:
            self._strays.pop(birth.pid, None)
        if "error" in told:
            birth.client.send({"id": birth.number, "error": told["error"]})
            self._strays.pop(pid, None)
            return
        birth.client.send({"id": birth.number, "ok": pid, "born": True}, self._pidfd(pid))
        self._owners[pid] = birth.client
        if pid in self._strays:
            self._ended(pid, self._strays.pop(pid))
        if not self._births:
            self._strays.clear()

    def _pidfd(self, pid: int) -> list[int]:
        # One that was reaped before its birth was told has none.
        return [] if pid in self._strays else [os.pidfd_open(pid)]

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            self._woken.recv(4096)
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self._ended(*found)

    def _ended(self, pid: int, status: int) -> None:
        owner = self._owners.pop(pid, None)
        if owner is not None:
            owner.send({"ended": pid, "status": status})
        elif self._births:
            # Perhaps one whose birth has not been told yet, or the sibling of one.
            self._strays[pid] = status


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def execute(root: Path, listener: socket.socket, first: socket.socket, ready: int) -> NoReturn:
    """Replace this program by a spawner of its own, from the package below `root`.

    `listener` and `first` are those of `Spawner`; `ready` gets a line once it serves, and ends.
    """
    descriptors = listener.fileno(), first.fileno(), ready
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    # Neither the site's packages nor the user's settings: only what is imported above.
    options = ["-I", "-S", "-c", _START]
    arguments = [str(root), *map(str, descriptors)]
    os.execv(sys.executable, [sys.executable, *options, *arguments])  # noqa: S606


def main() -> None:
    """Serve as `execute` wants it."""
    listener, first, ready = map(int, sys.argv[2:])
    syscalls.name_process("box-init")
    spawner = Spawner(socket.socket(fileno=listener), socket.socket(fileno=first))
    os.write(ready, b'{"ready": true}\n')
    os.close(ready)
    spawner.serve()

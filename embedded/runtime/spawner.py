"""Pid 1 of the box: reaps processes, and starts them and makes namespaces for its clients.

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
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, NoReturn

from embedded import syscalls
from embedded.runtime import messages
from embedded.runtime.child import Program, execute_program
from embedded.runtime.sandboxes import HomeNamespaces
from embedded.runtime.users import Identity, Ids, new_namespace

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from embedded.runtime import spawner; spawner.main()"
)


class _Client:
    """One connection, with what it has not taken yet."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._waiting: deque[tuple[bytes, list[int]]] = deque()

    def send(self, message: messages.Message, descriptors: Sequence[int] = ()) -> None:
        """Queue a message; the descriptors are closed once it has gone."""
        self._waiting.append(messages.encode(message, descriptors))

    def flush(self) -> bool:
        """Send what can be sent; say whether something is left."""
        while self._waiting:
            packet, descriptors = self._waiting[0]
            try:
                messages.transmit(self.connection, packet, descriptors)
            except BlockingIOError:
                return True
            except OSError:
                # It has gone; reading finds the same, and removes the client.
                self.drop()
                return False
            self._waiting.popleft()
            _close(descriptors)
        return False

    def drop(self) -> None:
        """Forget what is queued."""
        while self._waiting:
            _close(self._waiting.popleft()[1])


class _PendingStart:
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
        self._home = HomeNamespaces()
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self._last_capability = syscalls.last_capability()
        self._owners: dict[int, _Client] = {}
        self._pending: dict[int, _PendingStart] = {}
        self._unclaimed: dict[int, int] = {}
        self._clients: list[_Client] = []
        self._child_signals, self._wakeup = socket.socketpair()
        self._actions: dict[str, Callable[[messages.Message, list[int]], tuple[Any, list[int]]]] = {
            "sandbox": self._sandbox,
            "socket": self._socket,
            "users": self._users,
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
        self._selector.register(self._child_signals, selectors.EVENT_READ, self._reap)
        gc.freeze()
        while True:
            for key, _ in self._selector.select():
                key.data()
            for client in list(self._clients):
                self._flush(client)

    def _listen_for_children(self) -> None:
        self._child_signals.setblocking(False)
        self._wakeup.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)

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
            received = messages.receive(client.connection)
        except BlockingIOError:
            return
        except messages.LostDescriptorsError as error:
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

    def _handle(self, client: _Client, message: messages.Message, descriptors: list[int]) -> None:
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

    def _sandbox(self, message: messages.Message, _: list[int]) -> tuple[Any, list[int]]:
        return None, self._home.new_sandbox(message["hostname"])

    def _socket(self, message: messages.Message, descriptors: list[int]) -> tuple[Any, list[int]]:
        kind = (message["family"], message["type"], message["protocol"])
        return None, [self._home.socket_in(descriptors[0], *kind).detach()]

    def _users(self, message: messages.Message, _: list[int]) -> tuple[Any, list[int]]:
        return None, [new_namespace(Ids.here(), message["owner"])]

    def _mount(self, message: messages.Message, _: list[int]) -> tuple[Any, list[int]]:
        syscalls.mount(
            message["source"],
            message["target"],
            message["kind"],
            message["flags"],
            message["options"],
        )
        return None, []

    def _unmount(self, message: messages.Message, _: list[int]) -> tuple[Any, list[int]]:
        syscalls.unmount(message["target"])
        return None, []

    def _write(self, message: messages.Message, _: list[int]) -> tuple[Any, list[int]]:
        path = Path(message["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(message["mode"])
        path.write_text(message["text"])
        return None, []

    # Processes

    def _kill(self, message: messages.Message, _: list[int]) -> tuple[Any, list[int]]:
        # Until it was reaped here, its number is nobody else's.
        if message["pid"] in self._owners:
            os.kill(message["pid"], signal.SIGKILL)
        return None, []

    def _spawn(self, client: _Client, message: messages.Message, descriptors: list[int]) -> None:
        enter = message.get("enter")
        identity = message.get("identity")
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
            identity=None if identity is None else Identity(**identity),
            tty=message["tty"],
            open_files=message["open_files"],
        )
        report, write_end = os.pipe()
        try:
            pid = self._fork(program, write_end)
        except OSError as error:
            os.close(report)
            raise OSError(f"{program.argv[0]}: {error}") from error
        finally:
            os.close(write_end)
        start = _PendingStart(client, message["id"], pid, report)
        self._pending[pid] = start
        self._selector.register(report, selectors.EVENT_READ, lambda: self._started(start))

    def _fork(self, program: Program, report: int) -> int:
        # Only a child of ours gets into another pid namespace, never a process that is made.
        enter = program.enter
        with nullcontext() if enter is None else self._home.forking_into(enter):
            pid = os.fork()
            if pid == 0:
                execute_program(program, report, self._last_capability)
        return pid

    def _started(self, start: _PendingStart) -> None:
        self._selector.unregister(start.report)
        with os.fdopen(start.report, "rb") as report:
            # It ends when the program is executed, or has failed: at once, either way.
            lines = report.read().decode(errors="replace").splitlines()
        pid = start.pid
        del self._pending[pid]
        if lines:
            start.client.send({"id": start.number, "error": lines[0]})
            self._unclaimed.pop(pid, None)
            return
        start.client.send({"id": start.number, "ok": pid, "started": True}, self._pidfd(pid))
        self._owners[pid] = start.client
        if pid in self._unclaimed:
            self._ended(pid, self._unclaimed.pop(pid))
        if not self._pending:
            self._unclaimed.clear()

    def _pidfd(self, pid: int) -> list[int]:
        # One that was reaped before its start was reported has none.
        return [] if pid in self._unclaimed else [os.pidfd_open(pid)]

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            self._child_signals.recv(4096)
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self._ended(*found)

    def _ended(self, pid: int, status: int) -> None:
        owner = self._owners.pop(pid, None)
        if owner is not None:
            owner.send({"ended": pid, "status": status})
        elif self._pending:
            # Perhaps one whose start has not been reported yet.
            self._unclaimed[pid] = status


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
    # They had to be kept for this program; none of its children is to have them.
    syscalls.keep_streams_only()
    syscalls.name_process("box-init")
    spawner = Spawner(socket.socket(fileno=listener), socket.socket(fileno=first))
    os.write(ready, b'{"ready": true}\n')
    os.close(ready)
    spawner.serve()

"""Messages with the spawner: one JSON object each, with descriptors, over a SEQPACKET socket.

A request has `id` and `do`; its answer has the same `id` and either `ok` or `error`; that of a
spawned process also `started`, and comes with its pidfd. The end of a process is reported by
`{"ended": pid, "status": wait status}`.
"""

from __future__ import annotations

import array
import errno
import json
import os
import socket
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]

# What a socket's send buffer takes for certain; longer messages go through memory.
_INLINE = 60_000
_MAX_DESCRIPTORS = 64


class LostDescriptorsError(OSError):
    """This process may open no more files, and has not got what came with a message.

    `message` is the message, empty where it was too long to come without a descriptor.
    """

    def __init__(self, packet: bytes) -> None:
        super().__init__(errno.EMFILE, "descriptors were lost on their way: too many open files")
        self.message: Message = json.loads(packet[1:]) if packet[:1] == b"J" else {}


def encode(message: Message, descriptors: Sequence[int] = ()) -> tuple[bytes, list[int]]:
    """Return the packet and the descriptors that go with it.

    For a long message there is one more, the last, made here: the caller closes it once sent.
    """
    body = json.dumps(message).encode()
    if len(body) <= _INLINE:
        return b"J" + body, list(descriptors)
    memory = os.memfd_create("message")
    with os.fdopen(os.dup(memory), "wb") as out:
        out.write(body)
    return b"M", [*descriptors, memory]


def transmit(connection: socket.socket, packet: bytes, descriptors: Sequence[int]) -> None:
    """Send one packet whole. Raises BlockingIOError when the peer does not keep up, or OSError."""
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
    connection.sendmsg([packet], [rights] if descriptors else [])


def receive(connection: socket.socket) -> tuple[Message, list[int]] | None:
    """Take one message; None at the end of the connection.

    The descriptors belong to the caller. Raises BlockingIOError, LostDescriptorsError or OSError.
    """
    space = socket.CMSG_SPACE(_MAX_DESCRIPTORS * 4)
    packet, ancillary, flags, _ = connection.recvmsg(_INLINE + 1, space, socket.MSG_CMSG_CLOEXEC)
    if not packet:
        return None
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    found = list(descriptors)
    if flags & socket.MSG_CTRUNC:
        for descriptor in found:
            os.close(descriptor)
        raise LostDescriptorsError(packet)
    if packet == b"M":
        with os.fdopen(found.pop(), "rb") as memory:
            memory.seek(0)
            return json.load(memory), found
    return json.loads(packet[1:]), found

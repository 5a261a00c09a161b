"""Record a network device's frames: `python -m embedded.box.capture DEVICE [ADDRESS…]`.

Writes a pcap file (nanoseconds, Ethernet; draft-ietf-opsawg-pcap) to standard output, and a line
to descriptor 3 once nothing can be missed any more. On SIGTERM it takes what has come by then and
ends: with 1 if the kernel had to drop frames.

With IPv4 addresses, only frames from or to one of them are taken: on a busy machine nobody keeps up
with all that others copy meanwhile.

The kernel writes into a ring of blocks that it shares with us (packet_mmap, TPACKET_V3): a socket's
own queue holds a few frames only, and who is root in a user namespace may not enlarge it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address

_READY = 3
_ALL_PROTOCOLS = 0x0003
_SOL_PACKET = 263
_ATTACH_FILTER = 26
_RX_RING, _STATISTICS, _VERSION = 5, 6, 10
_TPACKET_V3 = 2
# 64 MiB, and 12 s of a quiet network: a block that is not full is passed on all the same, so their
# number is how long we may be kept from our work on a busy machine.
_BLOCK, _BLOCKS, _FRAME = 1 << 18, 256, 2048
_RETIRE_MILLISECONDS = 50
# Longer than the kernel keeps a block that is not full.
_DRAIN_SECONDS = 0.15
_OURS = 1
_BLOCK_HEADER = struct.Struct("=8xIII")
_FRAME_HEADER = struct.Struct("=IIIIIIH")
_SNAP = 262144
_MAGIC_NANOSECONDS, _ETHERNET = 0xA1B23C4D, 1


# Classic BPF (linux/filter.h): code, jump if true, jump if false, operand.
_INSTRUCTION = struct.Struct("=HBBI")
_LOAD_HALF, _LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x28, 0x20, 0x15, 0x06
_TYPE_AT, _IPV4, _SOURCE_AT, _TARGET_AT = 12, 0x0800, 26, 30
MOST_ADDRESSES = 100
"""A jump goes over at most 255 instructions."""


def _only(addresses: Sequence[IPv4Address]) -> bytes:
    """A filter that lets frames from or to the addresses pass, whole."""
    count = len(addresses)
    steps = [(_LOAD_HALF, 0, 0, _TYPE_AT), (_JUMP_IF_EQUAL, 0, 2 * count + 2, _IPV4)]
    for field, left in ((_SOURCE_AT, 2 * count + 1), (_TARGET_AT, count)):
        steps.append((_LOAD_WORD, 0, 0, field))
        steps += [
            (_JUMP_IF_EQUAL, left - number, 0, int(address))
            for number, address in enumerate(addresses)
        ]
    steps += [(_RETURN, 0, 0, 0), (_RETURN, 0, 0, _SNAP)]
    return b"".join(_INSTRUCTION.pack(*step) for step in steps)


class Ring:
    """The frames of one device, from the moment of its making; of all, or some addresses only."""

    def __init__(self, device: str, addresses: Sequence[IPv4Address] = ()) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        if addresses:
            program = ctypes.create_string_buffer(_only(addresses))
            length = (len(program) - 1) // _INSTRUCTION.size
            given = struct.pack("@HP", length, ctypes.addressof(program))
            self._socket.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, given)
        self._socket.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V3)
        frames = _BLOCK * _BLOCKS // _FRAME
        request = (_BLOCK, _BLOCKS, _FRAME, frames, _RETIRE_MILLISECONDS, 0, 0)
        self._socket.setsockopt(_SOL_PACKET, _RX_RING, struct.pack("=7I", *request))
        self._memory = mmap.mmap(self._socket.fileno(), _BLOCK * _BLOCKS)
        self._next = 0
        self._socket.bind((device, _ALL_PROTOCOLS))

    def fileno(self) -> int:
        """Readable when a block is full or its time is over."""
        return self._socket.fileno()

    def records(self) -> Iterator[bytes]:
        """Take the frames of all blocks that are ours, as records of a pcap file."""
        while True:
            start = self._next * _BLOCK
            status, count, offset = _BLOCK_HEADER.unpack_from(self._memory, start)
            if not status & _OURS:
                return
            at = start + offset
            for _ in range(count):
                step, seconds, nanoseconds, taken, length, _, data = _FRAME_HEADER.unpack_from(
                    self._memory, at
                )
                header = struct.pack("=IIII", seconds, nanoseconds, taken, length)
                yield header + self._memory[at + data : at + data + taken]
                at += step
            struct.pack_into("=I", self._memory, start + 8, 0)
            self._next = (self._next + 1) % _BLOCKS

    def dropped(self) -> int:
        """Return how many frames found no place."""
        statistics = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 12)
        dropped: int = struct.unpack("=III", statistics)[1]
        return dropped


def main() -> int:
    """Record until SIGTERM."""
    stop, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno())
    ring = Ring(sys.argv[1], [IPv4Address(text) for text in sys.argv[2:]])
    out = sys.stdout.buffer
    out.write(struct.pack("=IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, _SNAP, _ETHERNET))
    os.write(_READY, b"ready\n")
    os.close(_READY)
    while stop.fileno() not in select.select([ring.fileno(), stop.fileno()], [], [])[0]:
        out.writelines(ring.records())
    out.writelines(ring.records())
    # Up to a moment, not up to a pause: a busy network never leaves us one.
    ends = time.monotonic() + _DRAIN_SECONDS
    while (left := ends - time.monotonic()) > 0:
        select.select([ring.fileno()], [], [], left)
        out.writelines(ring.records())
    out.flush()
    dropped = ring.dropped()
    if dropped:
        print(f"capture: {dropped} frames of {sys.argv[1]} were dropped", file=sys.stderr)
    return 1 if dropped else 0


if __name__ == "__main__":
    sys.exit(main())

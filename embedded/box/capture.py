"""Record all frames of a network device: `python -m embedded.box.capture DEVICE`.

Writes a pcap file (nanoseconds, Ethernet; draft-ietf-opsawg-pcap) to standard output, and a line
to descriptor 3 once nothing can be missed any more. On SIGTERM it takes what has come by then and
ends: with 1 if the kernel had to drop frames.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import sys
import time
from typing import BinaryIO

_ALL_PROTOCOLS = 0x0003
_READY = 3
_SNAP = 262144
_BUFFER = 64 * 1024 * 1024
_SO_RCVBUFFORCE = 33
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_MAGIC_NANOSECONDS, _ETHERNET = 0xA1B23C4D, 1


def main() -> int:
    """Record until SIGTERM."""
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
    frames.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    frames.bind((sys.argv[1], _ALL_PROTOCOLS))
    frames.setblocking(False)
    stop, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno())
    out = sys.stdout.buffer
    out.write(struct.pack("=IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, _SNAP, _ETHERNET))
    os.write(_READY, b"ready\n")
    os.close(_READY)
    while stop not in select.select([frames, stop], [], [])[0]:
        _drain(frames, out)
    _drain(frames, out)
    out.flush()
    return 1 if _dropped(frames) else 0


def _drain(frames: socket.socket, out: BinaryIO) -> None:
    while True:
        try:
            frame = frames.recv(_SNAP)
        except BlockingIOError:
            return
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        out.write(struct.pack("=IIII", seconds, nanoseconds, len(frame), len(frame)) + frame)


def _dropped(frames: socket.socket) -> int:
    _, dropped = struct.unpack("=II", frames.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
    return int(dropped)


if __name__ == "__main__":
    sys.exit(main())

"""Ports for programs that cannot choose one themselves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"


@contextmanager
def reserved_port() -> Iterator[int]:
    """Hold a port of 127.0.0.1 on which nobody listens, and nobody else gets it.

    One that was only seen to be free may be another's own end of a connection a moment later. A
    program with SO_REUSEADDR may listen on it all the same.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((HOST, 0))
        yield int(held.getsockname()[1])

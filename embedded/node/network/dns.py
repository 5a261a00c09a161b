"""The name server that Pods ask, on the bridge's address, by UDP and TCP."""

from __future__ import annotations

import asyncio
import itertools
from ipaddress import IPv4Address
from typing import cast

from dnslib import QTYPE, RCODE, RR, A, DNSError, DNSRecord

from embedded.node.network.names import Zone

_PORT = 53
_UDP_LIMIT = 512  # bytes (RFC 1035 section 4.2.1)
_TTL = 0  # seconds; what was true a moment ago may not be now
_IDLE = 10.0  # seconds a TCP client may be silent


class NameServer:
    """Answers for one zone; it knows no other names, for there is no world outside the box."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._turn = itertools.count()
        self._listening: list[asyncio.DatagramTransport | asyncio.Server] = []

    async def start(self, address: str, port: int = _PORT) -> None:
        """Listen on `address` by UDP and TCP. Raises OSError."""
        loop = asyncio.get_running_loop()
        datagrams, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=(address, port)
        )
        self._listening.append(datagrams)
        self._listening.append(await asyncio.start_server(self._converse, address, port))

    def stop(self) -> None:
        """Listen no more."""
        while self._listening:
            self._listening.pop().close()

    def respond(self, message: bytes, limit: int = 0xFFFF) -> bytes | None:
        """Return the answer to `message`, or None for what is no query.

        An answer longer than `limit` bytes is cut, and marked so.
        """
        try:
            query = DNSRecord.parse(message)
        except DNSError:
            return None
        if query.header.qr or not query.questions:
            return None
        reply = query.reply()
        if query.header.opcode:
            reply.header.rcode = RCODE.NOTIMP
        else:
            self._answer(reply)
        packed = bytes(reply.pack())
        if len(packed) > limit:
            reply.rr.clear()
            reply.header.tc = 1
            packed = bytes(reply.pack())
        return packed

    def _answer(self, reply: DNSRecord) -> None:
        name = reply.q.qname
        found = self._zone.resolve(str(name).lower().removesuffix("."))
        if found is None:
            reply.header.rcode = RCODE.NXDOMAIN
        elif reply.q.qtype == QTYPE.A:
            for address in self._rotated(found):
                reply.add_answer(RR(name, rdata=A(str(address)), ttl=_TTL))
        # The name exists: other types have no records, which is not the same as no such name.

    def _rotated(self, found: list[IPv4Address]) -> list[IPv4Address]:
        first = next(self._turn) % len(found)
        return found[first:] + found[:first]

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one TCP client: each message follows its length in two bytes."""
        try:
            while True:
                async with asyncio.timeout(_IDLE):
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    response = self.respond(await reader.readexactly(length))
                if response is None:
                    return
                writer.write(len(response).to_bytes(2, "big") + response)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError, TimeoutError):
            return
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own is no subclass of the interface.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = self._server.respond(data, _UDP_LIMIT)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)

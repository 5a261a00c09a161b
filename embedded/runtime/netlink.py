"""As much of rtnetlink as Pods need: links, addresses, routes (rtnetlink(7), linux/if_link.h)."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

_NEWLINK, _GETLINK, _NEWADDR, _NEWROUTE, _DELNEIGH = 16, 18, 20, 24, 29
_ERROR = 2
_REQUEST, _ACK, _EXCL, _CREATE = 0x1, 0x4, 0x200, 0x400
_SOL_NETLINK, _ADD_MEMBERSHIP, _DROP_MEMBERSHIP, _GROUP_LINK = 270, 1, 2, 1

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MASTER, _IFLA_OPERSTATE, _IFLA_LINKINFO, _IFLA_NET_NS_FD = (
    1,
    3,
    10,
    16,
    18,
    28,
)
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_DATA = 1, 2, 5
_VETH_INFO_PEER = 1
_BRPORT_STATE = 1
_BR_FORWARD_DELAY = 1
_FORWARDING = 3
_OPER_UP = 6
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253
_TABLE_MAIN, _PROTOCOL_STATIC, _TYPE_UNICAST = 254, 4, 1
_ONLINK = 4
_NDA_DST = 1
_IFF_UP = 1

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ATTRIBUTE = struct.Struct("=HH")
_BUFFER = 65536


@dataclass(frozen=True, kw_only=True)
class Link:
    """The state of a network device: does it carry traffic; as a bridge port, does it forward."""

    index: int
    carries: bool
    forwards: bool


class Netlink:
    """A connection to the kernel's routing of one network namespace: that of its socket.

    Synchronous; the kernel answers at once. Methods raise OSError, which names the request.
    """

    def __init__(self, connection: socket.socket | None = None) -> None:
        self._socket = connection or socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        self._sequence = 0

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def add_bridge(self, name: str, hardware_address: bytes) -> None:
        """Make a bridge that forwards at once.

        Without a hardware address of its own it takes one of its ports', and changes it with them:
        neighbours would go on sending to the former.
        """
        data = _attribute(_BR_FORWARD_DELAY, struct.pack("=I", 0))
        self._new_link(name, b"bridge", data, _attribute(_IFLA_ADDRESS, hardware_address))

    def add_veth(self, name: str, *, master: int, peer: str, namespace: int) -> None:
        """Make a pair: `name` here, a port of the bridge `master`; `peer` in `namespace`."""
        there = _attribute(_IFLA_NET_NS_FD, struct.pack("=I", namespace))
        other = _link(0, 0) + _attribute(_IFLA_IFNAME, peer.encode() + b"\0") + there
        port = _attribute(_IFLA_MASTER, struct.pack("=I", master))
        self._new_link(name, b"veth", _attribute(_VETH_INFO_PEER, other), port)

    def _new_link(self, name: str, kind: bytes, data: bytes, more: bytes = b"") -> None:
        info = _attribute(_INFO_KIND, kind) + _attribute(_INFO_DATA, data)
        named = _attribute(_IFLA_IFNAME, name.encode() + b"\0")
        body = _link(0, 0) + named + more + _attribute(_IFLA_LINKINFO, info)
        self._ask(_NEWLINK, _CREATE | _EXCL, body, f"new {kind.decode()} {name}")

    def set_up(self, index: int) -> None:
        """Switch a device on."""
        self._ask(_NEWLINK, 0, _link(index, _IFF_UP), f"link {index} up")

    def add_address(self, index: int, address: IPv4Interface) -> None:
        """Give a device an address, with the route that its prefix implies."""
        prefix = address.network.prefixlen
        body = struct.pack("=BBBBi", socket.AF_INET, prefix, 0, 0, index)
        for kind in (_IFA_LOCAL, _IFA_ADDRESS):
            body += _attribute(kind, address.ip.packed)
        self._ask(_NEWADDR, _CREATE | _EXCL, body, f"address {address}")

    def add_route(self, index: int, target: IPv4Network, via: IPv4Address | None = None) -> None:
        """Route `target` through a device, to the neighbour `via` or straight."""
        scope = _SCOPE_LINK if via is None else _SCOPE_UNIVERSE
        flags = 0 if via is None else _ONLINK
        body = struct.pack(
            "=BBBBBBBBI",
            *(socket.AF_INET, target.prefixlen, 0, 0),
            *(_TABLE_MAIN, _PROTOCOL_STATIC, scope, _TYPE_UNICAST, flags),
        )
        if target.prefixlen:
            body += _attribute(_RTA_DST, target.network_address.packed)
        if via is not None:
            body += _attribute(_RTA_GATEWAY, via.packed)
        body += _attribute(_RTA_OIF, struct.pack("=i", index))
        self._ask(_NEWROUTE, _CREATE | _EXCL, body, f"route {target}")

    def forget_neighbour(self, index: int, address: IPv4Address) -> None:
        """Forget at which hardware address a neighbour was found, or that it was not."""
        body = struct.pack("=BxxxiHBB", socket.AF_INET, index, 0, 0, 0)
        body += _attribute(_NDA_DST, address.packed)
        # Where nothing is known there is nothing to forget.
        with suppress(FileNotFoundError):
            self._ask(_DELNEIGH, 0, body, f"neighbour {address}")

    def link(self, name: str) -> Link:
        """Return the state of the device `name`."""
        body = _link(0, 0) + _attribute(_IFLA_IFNAME, name.encode() + b"\0")
        return _state(self._ask(_GETLINK, 0, body, f"link {name}"))

    def wait_ready(self, name: str, *, port: bool, deadline: float) -> None:
        """Wait until a device carries traffic, and as a bridge's `port` forwards it.

        Until then the first packet is lost, and asked for again only after a second.
        Raises TimeoutError after `deadline` seconds.
        """
        end = time.monotonic() + deadline
        self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _GROUP_LINK)
        try:
            while not _ready(state := self.link(name), port=port):
                if not select.select([self._socket], [], [], max(0.0, end - time.monotonic()))[0]:
                    raise TimeoutError(f"network device {name} not up after {deadline} s: {state}")
                self._socket.recv(_BUFFER)
        finally:
            self._socket.setsockopt(_SOL_NETLINK, _DROP_MEMBERSHIP, _GROUP_LINK)

    def _ask(self, kind: int, flags: int, body: bytes, what: str) -> bytes:
        self._sequence += 1
        length = _HEADER.size + len(body)
        header = _HEADER.pack(length, kind, _REQUEST | _ACK | flags, self._sequence, 0)
        self._socket.send(header + body)
        answer = b""
        while True:
            for found, sequence, payload in _messages(self._socket.recv(_BUFFER)):
                if sequence != self._sequence:
                    continue
                if found != _ERROR:
                    answer = payload
                    continue
                (code,) = struct.unpack_from("=i", payload)
                if code:
                    raise OSError(-code, os.strerror(-code), what)
                return answer


def _ready(link: Link, *, port: bool) -> bool:
    return link.carries and (link.forwards or not port)


def _messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, _, sequence, _ = _HEADER.unpack_from(data)
        yield kind, sequence, data[_HEADER.size : length]
        data = data[_align(length) :]


def _state(payload: bytes) -> Link:
    _, _, index, _, _ = _LINK.unpack_from(payload)
    attributes = dict(_attributes(payload[_LINK.size :]))
    info = dict(_attributes(attributes.get(_IFLA_LINKINFO, b"")))
    port = dict(_attributes(info.get(_INFO_SLAVE_DATA, b"")))
    return Link(
        index=index,
        carries=attributes.get(_IFLA_OPERSTATE) == bytes([_OPER_UP]),
        forwards=port.get(_BRPORT_STATE) == bytes([_FORWARDING]),
    )


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        yield kind & 0x3FFF, data[_ATTRIBUTE.size : length]
        data = data[_align(length) :]


def _attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_align(length) - length)


def _link(index: int, flags: int) -> bytes:
    return _LINK.pack(socket.AF_UNSPEC, 0, index, flags, _IFF_UP)


def _align(length: int) -> int:
    return (length + 3) & ~3

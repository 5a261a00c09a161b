"""The links of Pods: a veth pair each, from the Pod's `eth0` to a port of the box's bridge."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from embedded.runtime.netlink import Netlink

BRIDGE = "br0"
ADDRESS = IPv4Interface("10.244.0.1/16")
"""The bridge's own, and with it the network of all Pods."""
_INSIDE = "eth0"
_EVERYWHERE = IPv4Network("0.0.0.0/0")
_DEADLINE = 5.0


def connect(link: str, address: str, net: int, inside: socket.socket) -> None:
    """Connect the network namespace `net` to the bridge, by a device `link` on this side.

    `inside` is a netlink socket of that namespace. All traffic goes by the bridge's own address,
    which routes it: so Services' addresses work, and the sender's address is kept.
    Raises OSError or TimeoutError.
    """
    here, there = Netlink(), Netlink(inside)
    bridge = socket.if_nametoindex(BRIDGE)
    try:
        here.add_veth(link, master=bridge, peer=_INSIDE, namespace=net)
        there.set_up(there.link("lo").index)
        outer, inner = here.link(link).index, there.link(_INSIDE).index
        there.add_address(inner, IPv4Interface(f"{address}/32"))
        there.set_up(inner)
        here.set_up(outer)
        there.add_route(inner, IPv4Network(f"{ADDRESS.ip}/32"))
        there.add_route(inner, _EVERYWHERE, via=ADDRESS.ip)
        there.wait_ready(_INSIDE, port=False, deadline=_DEADLINE)
        here.wait_ready(link, port=True, deadline=_DEADLINE)
        # A Pod that is gone had the address, or was sought there in vain: for a second or for a
        # minute that would be believed.
        here.forget_neighbour(bridge, IPv4Address(address))
    finally:
        here.close()

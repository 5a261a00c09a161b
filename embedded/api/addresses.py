"""The addresses of Services: which may be given, and which is next."""

from __future__ import annotations

from collections.abc import Container
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address

_RESERVED = 10
"""Addresses at the start of the network that are given only to who asks for them: the API's own."""


def is_ipv4(text: str) -> bool:
    """Return whether a text is an IPv4 address, written as it always is."""
    try:
        return str(IPv4Address(text)) == text
    except AddressValueError:
        return False


def is_ipv6(text: str) -> bool:
    """Return whether a text is an IPv6 address."""
    try:
        return bool(IPv6Address(text))
    except AddressValueError:
        return False


class ServiceAddresses:
    """The addresses of `network`, handed out round and round: one that was freed rests longest.

    What still leads to a deleted Service must not lead to the next one.
    """

    def __init__(self, network: IPv4Network) -> None:
        self.network = network
        self._first = int(network.network_address) + _RESERVED
        self._count = int(network.broadcast_address) - self._first
        self._next = 0

    def choose(self, taken: Container[str]) -> str:
        """Return an address that is not among those taken. Raises LookupError."""
        for _ in range(self._count):
            address = str(IPv4Address(self._first + self._next))
            self._next = (self._next + 1) % self._count
            if address not in taken:
                return address
        raise LookupError(f"no address is left in the service network {self.network}")

    def refusal(self, address: str, taken: Container[str]) -> str:
        """Return why a Service may not have the IPv4 address that it asks for; empty if it may."""
        edges = (self.network.network_address, self.network.broadcast_address)
        if IPv4Address(address) not in self.network or IPv4Address(address) in edges:
            return (
                f"the provided IP ({address}) is not in the valid range. "
                f"The range of valid IPs is {self.network}"
            )
        return "provided IP is already allocated" if address in taken else ""

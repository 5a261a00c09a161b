"""Addresses for Pods."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network


class AddressPool:
    """Hands out the addresses of `network`, round and round: one that was freed rests longest.

    `reserved` addresses, the network's own and its broadcast are never given.
    """

    def __init__(self, network: IPv4Network, reserved: frozenset[IPv4Address]) -> None:
        self._network = network
        self._taken = set(reserved)
        self._next = 1

    def take(self) -> str:
        """Return a free address. Raises LookupError when there is none."""
        last = self._network.num_addresses - 2
        for _ in range(last):
            address = self._network[self._next]
            self._next = self._next % last + 1
            if address not in self._taken:
                self._taken.add(address)
                return str(address)
        raise LookupError(f"all addresses of {self._network} are taken by Pods")

    def free(self, address: str) -> None:
        """Let `address` be given again."""
        self._taken.discard(IPv4Address(address))

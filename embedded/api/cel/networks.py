"""IP addresses, networks and URLs in rules: `cidr('10.0.0.0/8').containsIP(self.address)`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from celpy.celtypes import BoolType, IntType, ListType, MapType, StringType

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


@dataclass(frozen=True)
class IP:
    """An address of either family."""

    address: _Address

    def __str__(self) -> str:
        """The canonical spelling."""
        return str(self.address)


@dataclass(frozen=True)
class CIDR:
    """A network with the address that it was written with."""

    address: _Address
    bits: int

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The network without that address."""
        return ipaddress.ip_network(f"{self.address}/{self.bits}", strict=False)

    def __str__(self) -> str:
        """The canonical spelling."""
        return f"{self.address}/{self.bits}"


@dataclass(frozen=True)
class URL:
    """An absolute URL, or an absolute path."""

    text: str


def ip(text: str) -> IP:
    """Read an address; raises ValueError."""
    address = ipaddress.ip_address(str(text))
    if address.version == 6 and (address.scope_id or address.ipv4_mapped):
        raise ValueError(f"IP Address {str(text)!r} with a zone, or of IPv4 in IPv6")
    return IP(address)


def is_ip(text: str) -> BoolType:
    """Return whether a text is an address."""
    return _reads(ip, text)


def _reads(reader: Callable[[str], object], text: str) -> BoolType:
    try:
        reader(text)
    except ValueError:
        return BoolType(False)
    return BoolType(True)


def is_canonical(text: str) -> BoolType:
    """Return whether an address is in its canonical spelling; raises ValueError."""
    return BoolType(str(ip(text)) == text)


def family(one: IP) -> IntType:
    """4 or 6."""
    return IntType(one.address.version)


def is_unspecified(one: IP) -> BoolType:
    """Return whether it is `0.0.0.0` or `::`."""
    return BoolType(one.address.is_unspecified)


def is_loopback(one: IP) -> BoolType:
    """Return whether it is of the loopback."""
    return BoolType(one.address.is_loopback)


def is_link_local_unicast(one: IP) -> BoolType:
    """Return whether it is of the link alone."""
    return BoolType(one.address.is_link_local)


def is_link_local_multicast(one: IP) -> BoolType:
    """Return whether it is a multicast address of the link alone."""
    networks = ("224.0.0.0/24", "ff02::/16")
    return BoolType(any(one.address in ipaddress.ip_network(network) for network in networks))


def is_global_unicast(one: IP) -> BoolType:
    """Return whether it is neither of these, nor a multicast address: private ones count."""
    address = one.address
    apart = (
        address.is_unspecified,
        address.is_loopback,
        address.is_multicast,
        address.is_link_local,
        address == _BROADCAST,
    )
    return BoolType(not any(apart))


def cidr(text: str) -> CIDR:
    """Read a network; raises ValueError."""
    address, _, bits = str(text).partition("/")
    if not re.fullmatch(r"0|[1-9][0-9]{0,2}", bits):
        raise ValueError(f"CIDR Address {str(text)!r} parse error")
    found = CIDR(ip(address).address, int(bits))
    _ = found.network
    return found


def is_cidr(text: str) -> BoolType:
    """Return whether a text is a network."""
    return _reads(cidr, text)


def contains_ip(one: CIDR, other: IP | str) -> BoolType:
    """Return whether an address is of the network."""
    found = other if isinstance(other, IP) else ip(other)
    return BoolType(found.address in one.network)


def contains_cidr(one: CIDR, other: CIDR | str) -> BoolType:
    """Return whether a network is part of the network."""
    found = other if isinstance(other, CIDR) else cidr(other)
    return BoolType(found.address in one.network and found.bits >= one.bits)


def masked(one: CIDR) -> CIDR:
    """The network by its first address."""
    return CIDR(one.network.network_address, one.bits)


def prefix_length(one: CIDR) -> IntType:
    """The number after the slash."""
    return IntType(one.bits)


def url(text: str) -> URL:
    """Read a URL; raises ValueError."""
    parts = urlsplit(str(text))
    wrong = _CONTROL.search(text) or " " in parts.netloc
    if wrong or not (parts.scheme or text.startswith("/")):
        raise ValueError(f"URL parse error: {str(text)!r}")
    _ = parts.port
    return URL(str(text))


def is_url(text: str) -> BoolType:
    """Return whether a text is a URL."""
    return _reads(url, text)


def scheme(one: URL) -> StringType:
    """`https`; empty where there is none."""
    return StringType(urlsplit(one.text).scheme)


def host(one: URL) -> StringType:
    """The host with its port; an IPv6 address in brackets."""
    return StringType(urlsplit(one.text).netloc.rpartition("@")[2])


def host_name(one: URL) -> StringType:
    """The host without its port; an IPv6 address without brackets."""
    name = re.sub(r":\d*$", "", str(host(one)))
    return StringType(name.removeprefix("[").removesuffix("]"))


def port(one: URL) -> StringType:
    """The port as it is written; empty where there is none."""
    found = urlsplit(one.text).port
    return StringType("" if found is None else str(found))


def path(one: URL) -> StringType:
    """The path, escaped."""
    return StringType(quote(urlsplit(one.text).path, safe="/%:@!$&'()*+,;=~-._"))


def query(one: URL) -> MapType:
    """The values of each parameter."""
    found: dict[StringType, ListType] = {}
    for name, value in parse_qsl(urlsplit(one.text).query, keep_blank_values=True):
        found.setdefault(StringType(name), ListType([])).append(StringType(value))
    return MapType(found)

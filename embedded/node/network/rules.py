"""Service addresses as nftables rules: pure text, from what Services and Endpoints say.

One verdict map leads from address, protocol and port to a chain of the Service's own, which picks
one of its Pods in turn. Changing a Service touches its own chain and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from embedded.client import Json

TABLE = "ip services"
_PROTOCOLS = frozenset({"sctp", "tcp", "udp"})


class NoRouteError(ValueError):
    """A Service or its Endpoints hold something that is no address, port or protocol."""


@dataclass(frozen=True, kw_only=True)
class Frontend:
    """One port of a Service's address."""

    address: str
    protocol: str
    port: int

    @property
    def element(self) -> str:
        """Its key in the verdict map."""
        return f"{self.address} . {self.protocol} . {self.port}"


@dataclass(frozen=True, kw_only=True)
class Route:
    """The backends of a frontend: address and port of each Pod that is ready."""

    frontend: Frontend
    backends: tuple[tuple[str, int], ...]


def routes_of(service: Json | None, endpoints: Json | None) -> list[Route]:
    """Return the routes of a Service; none when it is gone or has no address of its own.

    Raises NoRouteError: nothing gets into a script that was not looked at here.
    """
    address = (service or {}).get("spec", {}).get("clusterIP")
    if service is None or not address or address == "None":
        return []
    if service["spec"].get("type") == "ExternalName":
        return []
    subsets = (endpoints or {}).get("subsets") or []
    return [
        Route(
            frontend=Frontend(
                address=_address(address),
                protocol=_protocol(port.get("protocol") or "TCP"),
                port=_port(port["port"]),
            ),
            backends=tuple(_backends(subsets, port)),
        )
        for port in service["spec"].get("ports") or []
    ]


def _backends(subsets: list[Json], port: Json) -> Iterator[tuple[str, int]]:
    for subset in subsets:
        for known in subset.get("ports") or []:
            same_protocol = (known.get("protocol") or "TCP") == (port.get("protocol") or "TCP")
            if same_protocol and (known.get("name") or "") == (port.get("name") or ""):
                for member in subset.get("addresses") or []:
                    yield _address(member["ip"]), _port(known["port"])


def _address(text: object) -> str:
    try:
        return str(IPv4Address(str(text)))
    except ValueError as error:
        raise NoRouteError(f"{text!r} is not an IPv4 address") from error


def _protocol(text: object) -> str:
    protocol = str(text).lower()
    if protocol not in _PROTOCOLS:
        raise NoRouteError(f"{text!r} is not a protocol")
    return protocol


def _port(number: object) -> int:
    if not isinstance(number, int) or not 0 < number < 65536:
        raise NoRouteError(f"{number!r} is not a port")
    return number


def base_rules() -> str:
    """Return the table as it stands before there is any Service.

    `own` holds each Pod's address twice: a Pod that reaches itself through a Service must see
    another source than itself, or it would drop the packet.
    """
    dispatch = "ip daddr . meta l4proto . th dport vmap @frontends"
    return f"""\
add table {TABLE}
delete table {TABLE}
table {TABLE} {{
  map frontends {{ type ipv4_addr . inet_proto . inet_service : verdict; }}
  set own {{ type ipv4_addr . ipv4_addr; }}
  chain prerouting {{ type nat hook prerouting priority dstnat; {dispatch}; }}
  chain output {{ type nat hook output priority -100; {dispatch}; }}
  chain postrouting {{ type nat hook postrouting priority srcnat;
    ip saddr . ip daddr @own masquerade; }}
}}
"""


def set_route(route: Route, chain: str, *, new: bool, refuse: str) -> Iterator[str]:
    """Yield the commands that lead `route` to its backends.

    `refuse` is an address and port where nobody listens: a Service without Pods refuses.
    """
    protocol = route.frontend.protocol
    if new:
        yield f"add chain {TABLE} {chain}"
    else:
        yield f"flush chain {TABLE} {chain}"
    yield f"add rule {TABLE} {chain} meta l4proto {protocol} {_target(route.backends, refuse)}"
    if new:
        element = f"{route.frontend.element} : goto {chain}"
        yield f"add element {TABLE} frontends {{ {element} }}"


def drop_route(frontend: Frontend, chain: str) -> Iterator[str]:
    """Yield the commands that forget a frontend."""
    yield f"delete element {TABLE} frontends {{ {frontend.element} }}"
    yield f"flush chain {TABLE} {chain}"
    yield f"delete chain {TABLE} {chain}"


def _target(backends: tuple[tuple[str, int], ...], refuse: str) -> str:
    if not backends:
        return f"dnat to {refuse}"
    if len(backends) == 1:
        return f"dnat to {backends[0][0]}:{backends[0][1]}"
    turns = ", ".join(f"{i} : {ip} . {port}" for i, (ip, port) in enumerate(backends))
    return f"dnat ip to numgen inc mod {len(backends)} map {{ {turns} }}"


def own_addresses(*, gone: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    """Yield the commands that bring the set of the Pods' own addresses up to date."""
    for verb, addresses in (("delete", gone), ("add", new)):
        elements = ", ".join(f"{address} . {address}" for address in sorted(addresses))
        if elements:
            yield f"{verb} element {TABLE} own {{ {elements} }}"

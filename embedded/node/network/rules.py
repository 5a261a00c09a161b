"""Service addresses as nftables rules: pure text, from what Services and Endpoints say.

One verdict map leads from address, protocol and port to a chain of the Service's own, which picks
one of its Pods in turn. Changing a Service touches its own chain and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from embedded.client import Json

TABLE = "ip services"


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
    """Where a frontend leads: address and port of each Pod that is ready."""

    frontend: Frontend
    backends: tuple[tuple[str, int], ...]


def routes_of(service: Json | None, endpoints: Json | None) -> list[Route]:
    """Return the routes of a Service; none when it is gone or has no address of its own."""
    address = (service or {}).get("spec", {}).get("clusterIP")
    if service is None or not address or address == "None":
        return []
    subsets = (endpoints or {}).get("subsets") or []
    return [
        Route(
            frontend=Frontend(
                address=address,
                protocol=str(port.get("protocol") or "TCP").lower(),
                port=int(port["port"]),
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
                    yield member["ip"], int(known["port"])


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
    node = refuse.partition(":")[0]
    yield from _own(address for address, _ in route.backends if address != node)


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


def _own(addresses: Iterable[str]) -> Iterator[str]:
    elements = ", ".join(f"{address} . {address}" for address in addresses)
    if elements:
        yield f"add element {TABLE} own {{ {elements} }}"

"""Endpoints: the addresses that Services lead to."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address

from embedded.api.addresses import is_ipv4
from embedded.api.builtin.rules import required, wrong
from embedded.api.builtin.services import check_port
from embedded.api.errors import Cause
from embedded.api.jsons import Json


def default_endpoints(obj: Json) -> None:
    """The protocol of the ports."""
    for subset in obj.get("subsets") or []:
        for port in subset.get("ports") or []:
            port.setdefault("protocol", "TCP")


def check_endpoints(obj: Json, _old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which Endpoints are refused."""
    for position, subset in enumerate(obj.get("subsets") or []):
        yield from _check_subset(subset, f"subsets[{position}]")


def _check_subset(subset: Json, path: str) -> Iterable[Cause]:
    if not subset.get("addresses") and not subset.get("notReadyAddresses"):
        text = "Required value: must specify `addresses` or `notReadyAddresses`"
        yield Cause(field=path, reason="FieldValueRequired", message=text)
    for field in ("addresses", "notReadyAddresses"):
        for position, member in enumerate(subset.get(field) or []):
            yield from _check_address(member.get("ip", ""), f"{path}.{field}[{position}].ip")
    ports = subset.get("ports") or []
    for position, port in enumerate(ports):
        yield from check_port(port, f"{path}.ports[{position}]", named=len(ports) > 1)


def _check_address(address: str, where: str) -> Iterable[Cause]:
    if not address:
        yield required(where)
    elif not is_ipv4(address):
        # A real server takes IPv6, too, which no Service of this platform could lead to.
        yield wrong(where, address, "must be a valid IP address, (e.g. 10.9.8.7)")
    elif IPv4Address(address).is_unspecified:
        yield wrong(where, address, "may not be unspecified (0.0.0.0 or ::)")
    elif IPv4Address(address).is_loopback:
        yield wrong(where, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    elif IPv4Address(address).is_link_local:
        text = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        yield wrong(where, address, text)
    elif IPv4Address(address).is_multicast:
        text = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        yield wrong(where, address, text)

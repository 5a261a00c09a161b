"""The addresses of the names of Services and Pods, from Services and Endpoints as they are now.

Rules: the Kubernetes DNS specification (github.com/kubernetes/dns, docs/specification.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

from embedded.client import Json

Lookup = Callable[[str, str], Json | None]
"""Namespace and name to object."""


class Zone:
    """The names below the cluster's domain."""

    def __init__(self, domain: str, services: Lookup, endpoints: Lookup) -> None:
        self._suffix = f".svc.{domain}".lower()
        self._services = services
        self._endpoints = endpoints

    def resolve(self, name: str) -> list[IPv4Address] | None:
        """Return the addresses of `name` (lower case, no dot at its end); None: no such name."""
        if not name.endswith(self._suffix):
            return None
        match name.removesuffix(self._suffix).split("."):
            case [service, namespace]:
                return self._service(namespace, service)
            case [host, service, namespace]:
                return self._host(namespace, service, host)
        return None

    def _service(self, namespace: str, name: str) -> list[IPv4Address] | None:
        service = self._services(namespace, name)
        if service is None:
            return None
        address = service["spec"].get("clusterIP")
        if address and address != "None":
            return [IPv4Address(address)]
        return [IPv4Address(e["ip"]) for e in self._members(service)] or None

    def _host(self, namespace: str, name: str, host: str) -> list[IPv4Address] | None:
        service = self._services(namespace, name)
        if service is None:
            return None
        found = [IPv4Address(e["ip"]) for e in self._members(service) if _host_name(e) == host]
        return found or None

    def _members(self, service: Json) -> Iterator[Json]:
        metadata = service["metadata"]
        endpoints = self._endpoints(metadata["namespace"], metadata["name"]) or {}
        for subset in endpoints.get("subsets") or []:
            yield from subset.get("addresses") or []
            if service["spec"].get("publishNotReadyAddresses"):
                yield from subset.get("notReadyAddresses") or []


def _host_name(member: Json) -> str:
    return str(member.get("hostname") or member["ip"].replace(".", "-")).lower()

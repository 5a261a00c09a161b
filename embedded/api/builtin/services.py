"""Services: their defaults, and the addresses and node ports that the server gives them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from embedded.api.builtin.rules import immutable, required, unsupported, wrong
from embedded.api.errors import ApiError, Cause
from embedded.api.jsons import Json
from embedded.api.resources import World

_RESERVED = 10
"""Addresses at the start of the network that are never given out: the API's and the DNS's."""
_NODE_PORTS = range(30000, 32768)
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def default_service(obj: Json) -> None:
    """The defaults of a Service."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (None, "", 0):
            port["targetPort"] = port.get("port")
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def complete_service(obj: Json, world: World) -> None:
    """The address, in the very answer of the create."""
    obj["status"] = {"loadBalancer": {}}
    _allocate(obj, world)


def keep_service(obj: Json, old: Json, world: World) -> None:
    """An update that does not name the allocations keeps them."""
    spec, before = obj["spec"], old["spec"]
    if spec["type"] != "ExternalName":
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if not spec.get(name) and before.get(name):
                spec[name] = before[name]
    ports = {(port.get("port"), port.get("protocol")): port for port in before.get("ports") or []}
    for port in spec.get("ports") or []:
        known = ports.get((port.get("port"), port.get("protocol")), {})
        if spec["type"] in ("NodePort", "LoadBalancer") and known.get("nodePort"):
            port.setdefault("nodePort", known["nodePort"])
    _allocate(obj, world)


def _allocate(obj: Json, world: World) -> None:
    spec = obj["spec"]
    if spec["type"] == "ExternalName":
        return
    own = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
    others = [
        stored.obj["spec"]
        for key, stored in world.collection("", "services").objects.items()
        if key != own
    ]
    if not spec.get("clusterIP"):
        given = (spec.get("clusterIPs") or [""])[0]
        spec["clusterIP"] = given or _free_address(others, IPv4Network(world.service_network))
    spec["clusterIPs"] = [spec["clusterIP"]]
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _allocate_ports(spec, others)


def _free_address(others: list[Json], network: IPv4Network) -> str:
    taken = {spec.get("clusterIP") for spec in others}
    first = int(network.network_address)
    for number in range(first + _RESERVED, int(network.broadcast_address)):
        address = str(IPv4Address(number))
        if address not in taken:
            return address
    raise ApiError(500, "InternalError", f"no address is left in the service network {network}")


def _allocate_ports(spec: Json, others: list[Json]) -> None:
    taken = {port.get("nodePort") for other in (*others, spec) for port in other.get("ports") or []}
    free = (number for number in _NODE_PORTS if number not in taken)
    for port in spec.get("ports") or []:
        if not port.get("nodePort"):
            port["nodePort"] = next(free)


def check_service(obj: Json, old: Json | None) -> Iterable[Cause]:
    """What is wrong with a Service."""
    spec = obj["spec"]
    if spec["type"] not in _TYPES:
        yield unsupported("spec.type", spec["type"], _TYPES)
    if spec["type"] == "ExternalName":
        if not spec.get("externalName"):
            yield required("spec.externalName")
        return
    headless = spec.get("clusterIP") == "None"
    if not spec.get("ports") and not headless:
        yield required("spec.ports")
    yield from _check_ports(spec.get("ports") or [])
    before = (old or {}).get("spec", {})
    address = before.get("clusterIP")
    if address and before["type"] != "ExternalName" and address != spec.get("clusterIP"):
        yield immutable("spec.clusterIPs[0]", "may not change once set")


def _check_ports(ports: list[Json]) -> Iterable[Cause]:
    for position, port in enumerate(ports):
        where = f"spec.ports[{position}]"
        if len(ports) > 1 and not port.get("name"):
            yield required(f"{where}.name")
        if not 0 < port.get("port", 0) < 65536:
            yield wrong(f"{where}.port", port.get("port"), "must be between 1 and 65535, inclusive")

"""Services: their defaults, and the addresses and node ports that the server gives them."""

from __future__ import annotations

from collections.abc import Container, Iterable

from embedded.api import errors
from embedded.api.addresses import is_ipv4, is_ipv6
from embedded.api.builtin.rules import duplicate, immutable, required, unsupported, wrong
from embedded.api.errors import ApiError, Cause
from embedded.api.jsons import Json
from embedded.api.resources import World

_NODE_PORTS = range(30000, 32768)
PROTOCOLS = ("SCTP", "TCP", "UDP")
_NO_ADDRESS = "None"
"""The address of a headless Service."""
_FAMILIES = ("IPv4", "IPv6")
_POLICIES = ("SingleStack", "PreferDualStack", "RequireDualStack")
_WITH_PORTS = ("NodePort", "LoadBalancer")
_OF_TYPE = (
    (("externalTrafficPolicy",), _WITH_PORTS),
    (("allocateLoadBalancerNodePorts", "loadBalancerClass"), ("LoadBalancer",)),
)
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
    if spec["type"] in _WITH_PORTS:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def complete_service(obj: Json, world: World) -> None:
    """The address, in the very answer of the create."""
    obj["status"] = {"loadBalancer": {}}
    _allocate(obj, world, None)


def keep_service(obj: Json, old: Json, world: World) -> None:
    """An update that does not name the allocations keeps them."""
    spec, before = obj["spec"], old["spec"]
    if spec["type"] == "ExternalName":
        _let_go(spec, before)
    else:
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if not spec.get(name) and before.get(name):
                spec[name] = before[name]
        if spec.get("clusterIPs") == before.get("clusterIPs") and spec.get("clusterIP"):
            # Who changes one of the two means both.
            spec["clusterIPs"] = [spec["clusterIP"]]
    ports = {(port.get("port"), port.get("protocol")): port for port in before.get("ports") or []}
    for port in spec.get("ports") or []:
        known = ports.get((port.get("port"), port.get("protocol")), {})
        if spec["type"] in _WITH_PORTS and known.get("nodePort"):
            port.setdefault("nodePort", known["nodePort"])
    _drop_of_type(spec, before)
    _allocate(obj, world, before)


def _drop_of_type(spec: Json, before: Json) -> None:
    """Drop what the type of before had need of and the new one has not, unless it was changed."""
    for members, types in _OF_TYPE:
        if before["type"] not in types or spec["type"] in types:
            continue
        for name in members:
            if spec.get(name) == before.get(name):
                spec.pop(name, None)
    if before["type"] in _WITH_PORTS and spec["type"] not in _WITH_PORTS:
        taken = {port.get("nodePort") for port in before.get("ports") or []}
        for port in spec.get("ports") or []:
            if port.get("nodePort") in taken:
                port.pop("nodePort", None)


def _choose_families(spec: Json, before: Json | None) -> None:
    """IPv4; a headless Service without selector, whose addresses are anybody's, has both."""
    families = spec.setdefault("ipFamilies", ["IPv4"])
    headless = spec["clusterIP"] == _NO_ADDRESS
    if not headless or spec.get("selector"):
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        return
    policy = spec.setdefault("ipFamilyPolicy", "RequireDualStack")
    if policy != "SingleStack":
        spec["ipFamilies"] = [*families, *(name for name in _FAMILIES if name not in families)]
    elif before is not None and families == before.get("ipFamilies"):
        spec["ipFamilies"] = families[:1]


def _allocate(obj: Json, world: World, before: Json | None) -> None:
    spec = obj["spec"]
    if spec["type"] == "ExternalName":
        return
    own = (obj["metadata"].get("namespace", ""), obj["metadata"].get("name", ""))
    others = [
        stored.obj["spec"]
        for key, stored in world.collection("", "services").objects.items()
        if key != own
    ]
    taken = {spec.get("clusterIP") for spec in others}
    spec["clusterIP"] = _asked(obj, world, taken) or _chosen(world, taken)
    spec["clusterIPs"] = [spec["clusterIP"]]
    _choose_families(spec, before)
    if spec["type"] in _WITH_PORTS:
        _allocate_ports(spec, others)


def _let_go(spec: Json, before: Json) -> None:
    """A Service that becomes an external name gives its address back."""
    for name in ("clusterIP", "clusterIPs"):
        if spec.get(name) == before.get(name):
            spec.pop(name, None)


def _asked(obj: Json, world: World, taken: Container[str]) -> str:
    """The address that a Service asks for; empty if it has no wish. Raises ApiError 422."""
    spec = obj["spec"]
    listed = spec.get("clusterIPs") or []
    address: str = spec.get("clusterIP") or (listed[0] if listed else "")
    causes = list(_check_address(address, listed)) if address or listed else []
    if not causes and address and address != _NO_ADDRESS:
        why = world.service_addresses.refusal(address, taken)
        if why:
            text = f"failed to allocate IP {address}: {why}"
            causes = [wrong("spec.clusterIPs", [address], text)]
    if causes:
        subject = errors.Subject("", "services", "Service", obj["metadata"].get("name", ""))
        raise errors.invalid(subject, causes)
    return address


def _check_address(address: str, listed: list[str]) -> Iterable[Cause]:
    where = "spec.clusterIPs[0]"
    if len(listed) > 1:
        yield wrong("spec.clusterIPs", listed, "may only hold up to 1 value")
    if listed and listed[0] != address:
        yield wrong("spec.clusterIPs", listed, "first value must match `clusterIP`")
    if is_ipv6(address):
        yield wrong(where, address, "IPv6 is not configured on this cluster")
    elif address != _NO_ADDRESS and not is_ipv4(address):
        yield wrong(where, address, "must be a valid IP address, (e.g. 10.9.8.7)")


def _chosen(world: World, taken: Container[str]) -> str:
    try:
        return world.service_addresses.choose(taken)
    except LookupError as error:
        raise ApiError(500, "InternalError", str(error)) from error


def _allocate_ports(spec: Json, others: list[Json]) -> None:
    taken = {port.get("nodePort") for other in (*others, spec) for port in other.get("ports") or []}
    free = (number for number in _NODE_PORTS if number not in taken)
    for port in spec.get("ports") or []:
        if not port.get("nodePort"):
            port["nodePort"] = next(free)


def check_service(obj: Json, old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which a Service is refused."""
    spec = obj["spec"]
    if spec["type"] not in _TYPES:
        yield unsupported("spec.type", spec["type"], _TYPES)
    if spec["type"] == "ExternalName":
        if not spec.get("externalName"):
            yield required("spec.externalName")
        if spec.get("clusterIP") or spec.get("clusterIPs"):
            yield immutable("spec.clusterIPs", "may not be set for ExternalName services")
        return
    headless = spec.get("clusterIP") == _NO_ADDRESS
    if headless and spec["type"] != "ClusterIP":
        why = f"may not be set to 'None' for {spec['type']} services"
        yield wrong("spec.clusterIPs[0]", _NO_ADDRESS, why)
    if not spec.get("ports") and not headless:
        yield required("spec.ports")
    yield from _check_ports(spec.get("ports") or [])
    yield from _check_families(spec)
    before = (old or {}).get("spec", {})
    address = before.get("clusterIP")
    if address and before["type"] != "ExternalName" and address != spec.get("clusterIP"):
        yield immutable("spec.clusterIPs[0]", "may not change once set")


def _check_families(spec: Json) -> Iterable[Cause]:
    policy, families = spec.get("ipFamilyPolicy"), spec.get("ipFamilies") or []
    if policy not in _POLICIES:
        yield unsupported("spec.ipFamilyPolicy", policy, _POLICIES)
    for position, family in enumerate(families):
        where = f"spec.ipFamilies[{position}]"
        if family not in _FAMILIES:
            yield unsupported(where, family, _FAMILIES)
        elif family in families[:position]:
            yield duplicate(where, family)
    if spec.get("clusterIP") == _NO_ADDRESS and not spec.get("selector"):
        return
    if "IPv6" in families:
        yield wrong(
            f"spec.ipFamilies[{families.index('IPv6')}]", "IPv6", "not configured on this cluster"
        )
    if policy == "RequireDualStack":
        yield wrong(
            "spec.ipFamilyPolicy", policy, "Cluster is not configured for dual-stack services"
        )


def _check_ports(ports: list[Json]) -> Iterable[Cause]:
    offered: set[tuple[int, str]] = set()
    for position, port in enumerate(ports):
        where = f"spec.ports[{position}]"
        yield from check_port(port, where, named=len(ports) > 1)
        key = (port.get("port", 0), port["protocol"])
        if key in offered:
            yield duplicate(where, f"{key[0]}/{key[1]}")
        offered.add(key)


def check_port(port: Json, where: str, *, named: bool) -> Iterable[Cause]:
    """Yield the causes for which a port is refused; `named` demands a name."""
    if named and not port.get("name"):
        yield required(f"{where}.name")
    if not 0 < port.get("port", 0) < 65536:
        yield wrong(f"{where}.port", port.get("port"), "must be between 1 and 65535, inclusive")
    if port["protocol"] not in PROTOCOLS:
        yield unsupported(f"{where}.protocol", port["protocol"], PROTOCOLS)

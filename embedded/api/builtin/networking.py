"""EndpointSlices, Ingresses and NetworkPolicies: stored and checked, enforced by nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from embedded.api.builtin.making import builtin
from embedded.api.builtin.rules import required, unsupported, wrong
from embedded.api.errors import Cause
from embedded.api.jsons import Json
from embedded.api.resources import Resource, World

NETWORKING = "networking.k8s.io"
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_MOST = 100
"""Addresses of an endpoint."""


def resources() -> Iterator[Resource]:
    """The resources of this module."""
    yield builtin(
        message="discovery.EndpointSlice",
        plural="endpointslices",
        group="discovery.k8s.io",
        generation=True,
        defaults=_default_slice,
        check=_check_slice,
    )
    yield builtin(
        message="networking.Ingress",
        plural="ingresses",
        group=NETWORKING,
        short_names=("ing",),
        status=True,
        generation=True,
        on_create=_complete_ingress,
        check=_check_ingress,
    )
    yield builtin(
        message="networking.IngressClass",
        plural="ingressclasses",
        group=NETWORKING,
        namespaced=False,
        generation=True,
        check=_check_class,
    )
    yield builtin(
        message="networking.NetworkPolicy",
        plural="networkpolicies",
        group=NETWORKING,
        short_names=("netpol",),
        generation=True,
        defaults=_default_policy,
    )


def _default_slice(obj: Json) -> None:
    for port in obj.get("ports") or []:
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def _check_slice(obj: Json, old: Json | None) -> Iterable[Cause]:
    kind = obj.get("addressType")
    if not kind:
        yield required("addressType")
    elif kind not in _ADDRESS_TYPES:
        yield unsupported("addressType", kind, _ADDRESS_TYPES)
    for position, endpoint in enumerate(obj.get("endpoints") or []):
        count, where = len(endpoint.get("addresses") or []), f"endpoints[{position}].addresses"
        if not count:
            yield required(where, "must contain at least 1 address")
        elif count > _MOST:
            text = f"Too many: {count}: must have at most {_MOST} items"
            yield Cause(field=where, reason="FieldValueTooMany", message=text)
    names = [port.get("name", "") for port in obj.get("ports") or []]
    for position, name in enumerate(names):
        if name in names[:position]:
            text = f'Duplicate value: "{name}"'
            where = f"ports[{position}].name"
            yield Cause(field=where, reason="FieldValueDuplicate", message=text)
    if old is not None and kind != old.get("addressType"):
        yield wrong("addressType", kind, "field is immutable")


def _complete_ingress(obj: Json, _world: World) -> None:
    obj["status"] = {"loadBalancer": {}}


def _check_ingress(obj: Json, _old: Json | None) -> Iterable[Cause]:
    spec = obj.get("spec") or {}
    if not spec.get("rules") and not spec.get("defaultBackend"):
        text = "either `defaultBackend` or `rules` must be specified"
        yield wrong("spec", [], text)
    if spec.get("defaultBackend"):
        yield from _check_backend(spec["defaultBackend"], "spec.defaultBackend")
    for position, rule in enumerate(spec.get("rules") or []):
        paths = (rule.get("http") or {}).get("paths") or []
        where = f"spec.rules[{position}].http.paths"
        if rule.get("http") is not None and not paths:
            yield required(where)
        for number, path in enumerate(paths):
            yield from _check_path(path, f"{where}[{number}]")


def _check_path(path: Json, where: str) -> Iterable[Cause]:
    kind, text = path.get("pathType"), path.get("path", "")
    if not kind:
        yield required(f"{where}.pathType", "pathType must be specified")
    elif kind not in _PATH_TYPES:
        yield unsupported(f"{where}.pathType", kind, _PATH_TYPES)
    elif kind != "ImplementationSpecific" and not text.startswith("/"):
        yield wrong(f"{where}.path", text, "must be an absolute path")
    yield from _check_backend(path.get("backend") or {}, f"{where}.backend")


def _check_backend(backend: Json, where: str) -> Iterable[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service and resource:
        yield wrong(where, "", "cannot set both resource and service backends")
    elif service:
        if not service.get("name"):
            yield required(f"{where}.service.name")
        if not service.get("port"):
            yield required(f"{where}.service.port", "port name or number is required")
    elif not resource:
        yield required(where, "resource or service backend is required")


def _check_class(obj: Json, old: Json | None) -> Iterable[Cause]:
    controller = (obj.get("spec") or {}).get("controller")
    if not controller:
        yield required("spec.controller")
    if old is not None and controller != (old.get("spec") or {}).get("controller"):
        yield wrong("spec.controller", controller, "field is immutable")


def _default_policy(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for direction in ("ingress", "egress"):
        for rule in spec.get(direction) or []:
            for port in rule.get("ports") or []:
                port.setdefault("protocol", "TCP")

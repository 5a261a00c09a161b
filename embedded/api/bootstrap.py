"""Objects that are there from the start: the system's namespaces, and the API's own Service."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

from embedded.api.access import defaults
from embedded.api.access.authorizer import GROUP as ACCESS
from embedded.api.builtin.scheduling import SYSTEM_CLASSES
from embedded.api.jsons import Json
from embedded.api.server import ApiServer
from embedded.api.writes import WriteOptions

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def populate(server: ApiServer, listen: Sequence[str], service_network: IPv4Network) -> None:
    """Create them. The API's Service leads to the first address that is not the loopback's."""
    for name in NAMESPACES:
        _create(server, "", "namespaces", {"metadata": {"name": name}})
    for name, value in SYSTEM_CLASSES.items():
        made = {"metadata": {"name": name}, "value": value}
        _create(server, "", "priorityclasses", made, group="scheduling.k8s.io")
    for role in defaults.cluster_roles():
        _create(server, "", "clusterroles", role, group=ACCESS)
    for binding in defaults.cluster_role_bindings():
        _create(server, "", "clusterrolebindings", binding, group=ACCESS)
    address = f"{service_network.network_address + 1}"
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}]
    service = {"clusterIP": address, "ports": ports}
    meta = {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}}
    inside = next((item for item in listen if not item.startswith("127.")), "")
    if inside:
        host, _, port = inside.rpartition(":")
        ports[0]["targetPort"] = int(port)
        _create(server, "default", "services", {"metadata": dict(meta), "spec": service})
        subset = {
            "addresses": [{"ip": host}],
            "ports": [{"name": "https", "port": int(port), "protocol": "TCP"}],
        }
        named = {"metadata": {"name": "kubernetes"}, "subsets": [subset]}
        _create(server, "default", "endpoints", named)


def _create(server: ApiServer, namespace: str, plural: str, obj: Json, group: str = "") -> None:
    resource = server.registry.find(group, "v1", plural)
    if resource is None:
        raise LookupError(plural)
    options = WriteOptions(manager="kube-apiserver")
    server.keeper.writer.create(resource, obj, namespace, options)

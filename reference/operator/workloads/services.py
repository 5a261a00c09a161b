"""The Services of a cluster, and the Endpoints that name the primary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from embedded.client import Json
from reference.operator.model import Cluster
from reference.operator.names import CLUSTER, POSTGRES_PORT, ROLE


def services(cluster: Cluster) -> list[Json]:
    """Return all six. Those without selector have their Endpoints written by the operator."""
    by = {CLUSTER: cluster.names.cluster}
    return [
        _service(cluster, "primary", {"clusterIP": "None"}),
        _service(cluster, "replicas", {"selector": by | {ROLE: "replica"}}),
        _service(cluster, "pgbouncer", {"selector": by | {ROLE: "pgbouncer"}}),
        _service(
            cluster,
            "pods",
            {"clusterIP": "None", "selector": by, "publishNotReadyAddresses": True},
        ),
        _service(cluster, "ha", {}),
        _service(cluster, "ha-config", {"clusterIP": "None"}),
    ]


def primary_endpoints(cluster: Cluster, primaries: Sequence[Json]) -> list[Json]:
    """Return the Endpoints of the primary's Services; `primaries` are Pods with an address."""
    addresses = [
        {
            "ip": pod["status"]["podIP"],
            "targetRef": {
                "kind": "Pod",
                "name": pod["metadata"]["name"],
                "namespace": pod["metadata"]["namespace"],
                "uid": pod["metadata"]["uid"],
            },
        }
        for pod in primaries
    ]
    ports = [{"name": "postgres", "port": POSTGRES_PORT, "protocol": "TCP"}]
    subsets = [{"addresses": addresses, "ports": ports}] if addresses else []
    return [
        {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": _metadata(cluster, part),
            "subsets": subsets,
        }
        for part in ("primary", "ha")
    ]


def _service(cluster: Cluster, part: str, spec: Mapping[str, Any]) -> Json:
    port = {
        "name": "postgres",
        "port": POSTGRES_PORT,
        "targetPort": POSTGRES_PORT,
        "protocol": "TCP",
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(cluster, part),
        "spec": {"ports": [port], "type": "ClusterIP"} | dict(spec),
    }


def _metadata(cluster: Cluster, part: str) -> Json:
    return {
        "name": cluster.names.of(part),
        "namespace": cluster.names.namespace,
        "labels": cluster.names.labels(),
        "ownerReferences": [cluster.owner()],
    }

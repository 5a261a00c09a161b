"""A small asyncio client of the Kubernetes API, and what control loops are made of."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from embedded.client.errors import (
    AlreadyExists,
    ApiError,
    ConfigError,
    Conflict,
    Gone,
    Invalid,
    NotFound,
    Terminating,
    Unreachable,
)
from embedded.client.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    CONFIGMAPS,
    CRDS,
    DEPLOYMENTS,
    ENDPOINTS,
    EVENTS,
    JOBS,
    LEASES,
    NAMESPACES,
    NODES,
    PDBS,
    PODS,
    PVCS,
    PVS,
    REPLICASETS,
    ROLEBINDINGS,
    ROLES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    STATEFULSETS,
    STORAGECLASSES,
    Json,
    Resource,
)
from embedded.client.store import key_of
from embedded.client.workqueue import Backoff, Reconciler

if TYPE_CHECKING:
    from embedded.client.client import Client, JsonList, WatchEvent
    from embedded.client.config import ClientConfig
    from embedded.client.execution import ExecResult
    from embedded.client.informer import Informer, Informers

__all__ = [
    "CLUSTERROLEBINDINGS",
    "CLUSTERROLES",
    "CONFIGMAPS",
    "CRDS",
    "DEPLOYMENTS",
    "ENDPOINTS",
    "EVENTS",
    "JOBS",
    "LEASES",
    "NAMESPACES",
    "NODES",
    "PDBS",
    "PODS",
    "PVCS",
    "PVS",
    "REPLICASETS",
    "ROLEBINDINGS",
    "ROLES",
    "SECRETS",
    "SERVICEACCOUNTS",
    "SERVICES",
    "STATEFULSETS",
    "STORAGECLASSES",
    "AlreadyExists",
    "ApiError",
    "Backoff",
    "Client",
    "ClientConfig",
    "ConfigError",
    "Conflict",
    "ExecResult",
    "Gone",
    "Informer",
    "Informers",
    "Invalid",
    "Json",
    "JsonList",
    "NotFound",
    "Reconciler",
    "Resource",
    "Terminating",
    "Unreachable",
    "WatchEvent",
    "key_of",
]

# Imported when they are asked for: aiohttp takes a second to load, which a program that only names
# resources need not wait for.
_ON_DEMAND = {
    "Client": "client",
    "ClientConfig": "config",
    "ExecResult": "execution",
    "Informer": "informer",
    "Informers": "informer",
    "JsonList": "client",
    "WatchEvent": "client",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ON_DEMAND[name]}"), name)

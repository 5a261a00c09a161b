"""Names of the API's resources, and the paths that they are served at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of the API; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """`apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """Path of its group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """Path of a collection, an object or a subresource.

        Without a namespace, the collection over all namespaces.
        """
        parts = [self.root]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)


def _core(plural: str, kind: str, *, namespaced: bool = True) -> Resource:
    return Resource(group="", version="v1", plural=plural, kind=kind, namespaced=namespaced)


def _apps(plural: str, kind: str) -> Resource:
    return Resource(group="apps", version="v1", plural=plural, kind=kind)


def _rbac(plural: str, kind: str, *, namespaced: bool = True) -> Resource:
    group = "rbac.authorization.k8s.io"
    return Resource(group=group, version="v1", plural=plural, kind=kind, namespaced=namespaced)


PODS = _core("pods", "Pod")
SECRETS = _core("secrets", "Secret")
CONFIGMAPS = _core("configmaps", "ConfigMap")
SERVICES = _core("services", "Service")
ENDPOINTS = _core("endpoints", "Endpoints")
EVENTS = _core("events", "Event")
SERVICEACCOUNTS = _core("serviceaccounts", "ServiceAccount")
PVCS = _core("persistentvolumeclaims", "PersistentVolumeClaim")
PVS = _core("persistentvolumes", "PersistentVolume", namespaced=False)
NAMESPACES = _core("namespaces", "Namespace", namespaced=False)
NODES = _core("nodes", "Node", namespaced=False)
DEPLOYMENTS = _apps("deployments", "Deployment")
REPLICASETS = _apps("replicasets", "ReplicaSet")
STATEFULSETS = _apps("statefulsets", "StatefulSet")
JOBS = Resource(group="batch", version="v1", plural="jobs", kind="Job")
LEASES = Resource(group="coordination.k8s.io", version="v1", plural="leases", kind="Lease")
ROLES = _rbac("roles", "Role")
ROLEBINDINGS = _rbac("rolebindings", "RoleBinding")
CLUSTERROLES = _rbac("clusterroles", "ClusterRole", namespaced=False)
CLUSTERROLEBINDINGS = _rbac("clusterrolebindings", "ClusterRoleBinding", namespaced=False)
PDBS = Resource(
    group="policy", version="v1", plural="poddisruptionbudgets", kind="PodDisruptionBudget"
)
STORAGECLASSES = Resource(
    group="storage.k8s.io",
    version="v1",
    plural="storageclasses",
    kind="StorageClass",
    namespaced=False,
)
CRDS = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    plural="customresourcedefinitions",
    kind="CustomResourceDefinition",
    namespaced=False,
)

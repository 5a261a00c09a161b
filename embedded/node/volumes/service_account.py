"""The volume by which a Pod reaches the API server.

In Kubernetes an admission plugin writes it into the Pod; a Pod that comes without it gets it here.
Layout: Kubernetes documentation, "Configure Service Accounts for Pods".
"""

from __future__ import annotations

from embedded.client import Json

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_NAME = "kube-api-access"


def with_service_account(pod: Json) -> Json:
    """Return `pod` with the volume mounted into each container that has nothing at its path."""
    spec = pod["spec"]
    if spec.get("automountServiceAccountToken") is False:
        return pod
    if all(_mounts(c) for c in spec["containers"]):
        return pod
    changed = {
        group: [_with_mount(c) for c in spec[group]]
        for group in ("containers", "initContainers")
        if spec.get(group)
    }
    volumes = [*(spec.get("volumes") or []), _volume()]
    return pod | {"spec": spec | changed | {"volumes": volumes}}


def _mounts(container: Json) -> bool:
    return any(m["mountPath"] == MOUNT_PATH for m in container.get("volumeMounts") or [])


def _with_mount(container: Json) -> Json:
    if _mounts(container):
        return container
    mount = {"name": _NAME, "mountPath": MOUNT_PATH, "readOnly": True}
    return container | {"volumeMounts": [*(container.get("volumeMounts") or []), mount]}


def _volume() -> Json:
    namespace = {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
    authority = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": authority},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": _NAME, "projected": {"sources": sources}}

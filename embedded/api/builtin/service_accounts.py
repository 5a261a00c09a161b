"""What a Pod gets from its ServiceAccount: the account's name, a token volume, pull secrets.

As Kubernetes' admission plugin `ServiceAccount` does it (documentation, "Managing Service
Accounts").
"""

from __future__ import annotations

from embedded.api import errors
from embedded.api.jsons import Json
from embedded.api.metadata import generated_name
from embedded.api.resources import World

DEFAULT = "default"
"""The account of a Pod that names none."""
_PLURAL = "serviceaccounts"
_MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_VOLUME = "kube-api-access-"
_SECONDS = 3607
_MIRROR = "kubernetes.io/config.mirror"


def admit(pod: Json, world: World) -> None:
    """Complete a new Pod; raises ApiError 403 where its ServiceAccount is not there."""
    spec = pod["spec"]
    if _MIRROR in (pod["metadata"].get("annotations") or {}):
        return
    if not spec.get("serviceAccountName"):
        spec["serviceAccountName"] = spec["serviceAccount"] = DEFAULT
    account = _account(pod, world)
    if _wants_token(spec, account):
        _mount_token(spec)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(item) for item in account["imagePullSecrets"]]


def _account(pod: Json, world: World) -> Json:
    namespace, name = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
    found = world.collection("", _PLURAL).objects.get((namespace, name))
    if found is None:
        why = f'serviceaccount "{name}" not found'
        text = f"error looking up service account {namespace}/{name}: {why}"
        raise errors.forbidden(new_pod(pod), text)
    return found.obj


def new_pod(pod: Json) -> errors.Subject:
    """A Pod for a refusal, by the name as far as it is known at its admission."""
    meta = pod["metadata"]
    name = meta.get("name") or meta.get("generateName") or ""
    return errors.Subject("", "pods", "Pod", name)


def _wants_token(spec: Json, account: Json) -> bool:
    for told in (spec, account):
        wish = told.get("automountServiceAccountToken")
        if wish is not None:
            return bool(wish)
    return True


def _mount_token(spec: Json) -> None:
    names = (volume.get("name", "") for volume in spec.get("volumes") or [])
    present = next((name for name in names if name.startswith(_VOLUME)), "")
    volume = present or generated_name(_VOLUME)
    mount = {"name": volume, "readOnly": True, "mountPath": _MOUNT_PATH}
    without = [
        container
        for group in ("initContainers", "containers")
        for container in spec.get(group) or []
        if not _has_mount(container)
    ]
    for container in without:
        container["volumeMounts"] = [*(container.get("volumeMounts") or []), dict(mount)]
    if without and not present:
        spec["volumes"] = [*(spec.get("volumes") or []), _token_volume(volume)]


def _has_mount(container: Json) -> bool:
    mounts = container.get("volumeMounts") or []
    return any(mount.get("mountPath") == _MOUNT_PATH for mount in mounts)


def _token_volume(name: str) -> Json:
    own = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    authority = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": _SECONDS, "path": "token"}},
        {"configMap": authority},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": own}]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 0o644}}

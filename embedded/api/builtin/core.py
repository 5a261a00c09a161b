"""Secrets, ConfigMaps, Namespaces, claims and what else is small."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from embedded.api.builtin.rules import immutable, required, wrong
from embedded.api.errors import Cause
from embedded.api.jsons import Json, at
from embedded.api.resources import World

_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_SIZE = 1024 * 1024
_NEEDED = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def default_secret(obj: Json) -> None:
    """The type, and `stringData` moved into `data`."""
    for name, text in (obj.pop("stringData", None) or {}).items():
        obj.setdefault("data", {})[name] = base64.b64encode(text.encode()).decode()
    if not obj.get("type"):
        obj["type"] = "Opaque"


def check_secret(obj: Json, old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which a Secret is refused."""
    data = obj.get("data") or {}
    yield from _check_data(data, "data")
    size = sum(len(value) * 3 // 4 for value in data.values())
    if size > _SIZE:
        yield _too_long("data")
    for name in _NEEDED.get(obj["type"], ()):
        if name not in data:
            yield required(f"data[{name}]")
    if old is not None:
        if obj["type"] != old["type"]:
            yield wrong("type", obj["type"], "field is immutable")
        yield from _check_frozen(obj, old, ("data",))


def check_config_map(obj: Json, old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which a ConfigMap is refused."""
    yield from _check_data(obj.get("data") or {}, "data")
    yield from _check_data(obj.get("binaryData") or {}, "binaryData")
    for name in (obj.get("data") or {}).keys() & (obj.get("binaryData") or {}).keys():
        yield wrong("data", name, "duplicate of key present in binaryData")
    size = sum(len(text.encode()) for text in (obj.get("data") or {}).values())
    size += sum(len(text) * 3 // 4 for text in (obj.get("binaryData") or {}).values())
    if size > _SIZE:
        yield _too_long("")
    if old is not None:
        yield from _check_frozen(obj, old, ("data", "binaryData"))


def _too_long(field: str) -> Cause:
    text = f"Too long: may not be more than {_SIZE} bytes"
    return Cause(field=field, reason="FieldValueTooLong", message=text)


def _check_data(data: Json, field: str) -> Iterable[Cause]:
    for name in data:
        if not _DATA_KEY.fullmatch(name):
            text = (
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
                "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                "'[-._a-zA-Z0-9]+')"
            )
            yield wrong(f"{field}[{name}]", name, text)
        elif name == "." or name.startswith(".."):
            # As a file of a volume it would be the directory, or the kubelet's own.
            yield wrong(f"{field}[{name}]", name, "must not be '.' or start with '..'")


def _check_frozen(obj: Json, old: Json, fields: Iterable[str]) -> Iterable[Cause]:
    if not old.get("immutable"):
        return
    if not obj.get("immutable"):
        yield immutable("immutable", "field is immutable when `immutable` is set")
    for name in fields:
        if (obj.get(name) or {}) != (old.get(name) or {}):
            yield immutable(name, "field is immutable when `immutable` is set")


def default_namespace(obj: Json) -> None:
    """The label by which selectors find a Namespace."""
    meta = obj["metadata"]
    if meta.get("name"):
        meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = meta["name"]


def complete_namespace(obj: Json, _world: World) -> None:
    """A Namespace is there until its content is gone: the finalizer of the specification."""
    default_namespace(obj)
    obj["spec"] = {"finalizers": ["kubernetes"]}
    obj["status"] = {"phase": "Active"}


def keep_namespace(obj: Json, old: Json, _world: World) -> None:
    """The finalizers of the specification go through the `finalize` subresource only."""
    obj["spec"] = old.get("spec", {})


def default_claim(obj: Json) -> None:
    """The defaults of a PersistentVolumeClaim."""
    obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def complete_claim(obj: Json, world: World) -> None:
    """The default StorageClass, where one is marked, and the first status."""
    if "storageClassName" not in obj["spec"]:
        for stored in world.collection("storage.k8s.io", "storageclasses").objects.values():
            notes = stored.obj["metadata"].get("annotations") or {}
            if notes.get("storageclass.kubernetes.io/is-default-class") == "true":
                obj["spec"]["storageClassName"] = stored.obj["metadata"]["name"]
    obj["status"] = {"phase": "Pending"}


def check_claim(obj: Json, old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which a PersistentVolumeClaim is refused."""
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield required("spec.accessModes")
    if not at(spec, "resources", "requests", "storage"):
        yield required("spec.resources[storage]")
    if old is not None:
        before = old["spec"]
        changed = {
            name for name in spec.keys() | before.keys() if spec.get(name) != before.get(name)
        }
        if changed - {"resources", "volumeName", "volumeAttributesClassName"} or (
            before.get("volumeName") and "volumeName" in changed
        ):
            yield immutable("spec", "spec is immutable after creation except resources.requests")


def default_volume(obj: Json) -> None:
    """The defaults of a PersistentVolume."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")


def complete_volume(obj: Json, _world: World) -> None:
    """The first status of a PersistentVolume."""
    obj["status"] = {"phase": "Pending"}


def default_binding(obj: Json) -> None:
    """The API groups of roles and subjects."""
    obj.setdefault("roleRef", {}).setdefault("apiGroup", "rbac.authorization.k8s.io")
    for subject in obj.get("subjects") or []:
        if subject.get("kind") in {"User", "Group"}:
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def check_role(obj: Json, _old: Json | None) -> Iterable[Cause]:
    """Each rule has verbs, on resources of groups or on paths."""
    namespaced = obj.get("kind") == "Role"
    for position, rule in enumerate(obj.get("rules") or []):
        where = f"rules[{position}]"
        if not rule.get("verbs"):
            yield required(f"{where}.verbs", "verbs must contain at least one value")
        if rule.get("nonResourceURLs"):
            if namespaced:
                text = "namespaced rules cannot apply to non-resource URLs"
                yield wrong(f"{where}.nonResourceURLs", rule["nonResourceURLs"], text)
            if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                text = "rules cannot apply to both regular resources and non-resource URLs"
                yield wrong(f"{where}.nonResourceURLs", rule["nonResourceURLs"], text)
            continue
        if not rule.get("apiGroups"):
            text = "resource rules must supply at least one api group"
            yield required(f"{where}.apiGroups", text)
        if not rule.get("resources"):
            text = "resource rules must supply at least one resource"
            yield required(f"{where}.resources", text)


def check_binding(obj: Json, old: Json | None) -> Iterable[Cause]:
    """A binding keeps its role for good."""
    if not obj["roleRef"].get("name"):
        yield required("roleRef.name")
    if old is not None and obj["roleRef"] != old["roleRef"]:
        yield wrong("roleRef", obj["roleRef"], "cannot change roleRef")


def default_storage_class(obj: Json) -> None:
    """The defaults of a StorageClass."""
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")

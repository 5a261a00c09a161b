"""PersistentVolumeClaims: each gets a volume of its own, and takes it along when it goes.

That is at once, or with its first Pod, as its class says. The volume is a directory of the node,
named after the PersistentVolume; the node makes it.
"""

from __future__ import annotations

from collections.abc import Iterable

from embedded.client import PODS, PVCS, PVS, STORAGECLASSES, Json, Reconciler
from embedded.controllers import pods
from embedded.controllers.cluster import Cluster
from embedded.controllers.events import tell
from embedded.controllers.ownership import Key, enqueue_itself
from embedded.controllers.storage_classes import (
    CLAIM_USERS,
    PROVISIONER,
    STORAGE_CLASS,
    Classes,
)

_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_IN_USE = "kubernetes.io/pvc-protection"
_BY_CLAIM = "claims"


class Volumes:
    """Binds claims of classes of our own, and removes the volumes of claims that are gone."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._claims = cluster.of(PVCS)
        self._volumes = cluster.of(PVS)
        self._pods = cluster.of(PODS)
        self._classes = Classes(cluster)
        self._queue: Reconciler[Key] = Reconciler("volumes", self._reconcile)
        self._pods.add_index(CLAIM_USERS, claim_keys)
        self._volumes.add_index(_BY_CLAIM, _bound_to)
        self._claims.add_handler(enqueue_itself(self._queue))
        self._volumes.add_handler(self._on_volume)
        self._pods.add_handler(self._on_pod)
        cluster.of(STORAGECLASSES).add_handler(self._on_class)

    async def run(self) -> None:
        """Make the default StorageClass, then work until cancelled."""
        await self._cluster.ensure(STORAGECLASSES, _storage_class())
        await self._queue.run()

    async def _reconcile(self, key: Key) -> None:
        claim = self._claims.get(*key)
        await self._remove_orphans(key, claim)
        if claim is None:
            return
        if pods.is_terminating(claim):
            await self._release(key, claim)
        elif claim["spec"].get("volumeName") or self._may_bind(key, claim):
            await self._bind(claim)
        elif self._is_known(claim):
            await tell(self._cluster, claim, self._classes.problem(claim))

    def _may_bind(self, key: Key, claim: Json) -> bool:
        if not self._classes.is_ours(claim):
            return False
        if not self._classes.waits_for_consumer(claim):
            return True
        return any(pods.is_active(pod) for pod in self._pods.by_index(CLAIM_USERS, key))

    def _is_known(self, claim: Json) -> bool:
        """Return whether the claim's class is not the one that is being made at the start."""
        name = claim["spec"].get("storageClassName", STORAGE_CLASS)
        return name != STORAGE_CLASS or self._classes.of(claim) is not None

    async def _bind(self, claim: Json) -> None:
        name = claim["spec"].get("volumeName") or f"pvc-{claim['metadata']['uid']}"
        volume = self._volumes.get("", name)
        if volume is None:
            if claim["spec"].get("volumeName"):
                return
            volume = await self._cluster.create(PVS, _volume(claim, name, self._classes.of(claim)))
        if not claim["spec"].get("volumeName"):
            claim = await self._cluster.merge(PVCS, claim, _binding(claim, name))
        await self._cluster.set_status(PVS, volume, {"phase": "Bound"})
        status = (claim.get("status") or {}) | {
            "phase": "Bound",
            "accessModes": volume["spec"]["accessModes"],
            "capacity": volume["spec"]["capacity"],
        }
        await self._cluster.set_status(PVCS, claim, status)

    async def _release(self, key: Key, claim: Json) -> None:
        """Let a claim go once no Pod uses it."""
        finalizers = claim["metadata"].get("finalizers") or []
        found = self._pods.by_index(CLAIM_USERS, key)
        users = [pod for pod in found if not pods.is_finished(pod)]
        if _IN_USE in finalizers and not users:
            left = [name for name in finalizers if name != _IN_USE]
            version = claim["metadata"]["resourceVersion"]
            change = {"metadata": {"finalizers": left, "resourceVersion": version}}
            await self._cluster.merge(PVCS, claim, change)

    async def _remove_orphans(self, key: Key, claim: Json | None) -> None:
        uid = claim["metadata"]["uid"] if claim else None
        for volume in self._volumes.by_index(_BY_CLAIM, key):
            kept = volume["spec"].get("persistentVolumeReclaimPolicy") != "Delete"
            if volume["spec"]["claimRef"].get("uid") != uid and not kept:
                await self._cluster.delete(PVS, volume)

    def _on_volume(self, _: str, volume: Json) -> None:
        for key in _bound_to(volume):
            self._queue.enqueue(key)

    def _on_pod(self, kind: str, pod: Json) -> None:
        for key in claim_keys(pod):
            claim = self._claims.get(*key)
            waits = claim is not None and not claim["spec"].get("volumeName")
            if kind == "DELETED" or pods.is_finished(pod) or waits:
                self._queue.enqueue(key)

    def _on_class(self, kind: str, _: Json) -> None:
        if kind == "DELETED":
            return
        for key, claim in self._claims.items.items():
            if not claim["spec"].get("volumeName"):
                self._queue.enqueue(key)


def claim_keys(pod: Json) -> Iterable[Key]:
    """The claims that a Pod uses."""
    claims = (v.get("persistentVolumeClaim") for v in pod["spec"].get("volumes") or [])
    return [(pod["metadata"]["namespace"], claim["claimName"]) for claim in claims if claim]


def _bound_to(volume: Json) -> Iterable[Key]:
    claim = volume["spec"].get("claimRef")
    return [(claim["namespace"], claim["name"])] if claim else []


def _storage_class() -> Json:
    return {
        "apiVersion": STORAGECLASSES.api_version,
        "kind": STORAGECLASSES.kind,
        "metadata": {"name": STORAGE_CLASS, "annotations": {_DEFAULT: "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def _volume(claim: Json, name: str, storage_class: Json | None) -> Json:
    metadata, spec = claim["metadata"], claim["spec"]
    requests = (spec.get("resources") or {}).get("requests") or {}
    return {
        "apiVersion": PVS.api_version,
        "kind": PVS.kind,
        "metadata": {
            "name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
        },
        "spec": {
            "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
            "capacity": {"storage": requests.get("storage", "1Gi")},
            "claimRef": {
                "apiVersion": PVCS.api_version,
                "kind": PVCS.kind,
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "hostPath": {"path": f"/var/local-path-provisioner/{name}"},
            "persistentVolumeReclaimPolicy": (storage_class or {}).get("reclaimPolicy", "Delete"),
            "storageClassName": claim["spec"].get("storageClassName", STORAGE_CLASS),
            "volumeMode": spec.get("volumeMode") or "Filesystem",
        },
    }


def _binding(claim: Json, name: str) -> Json:
    finalizers = claim["metadata"].get("finalizers") or []
    if _IN_USE not in finalizers:
        finalizers = [*finalizers, _IN_USE]
    annotations = {
        "pv.kubernetes.io/bind-completed": "yes",
        "pv.kubernetes.io/bound-by-controller": "yes",
        "volume.kubernetes.io/storage-provisioner": PROVISIONER,
    }
    return {
        "metadata": {
            "annotations": annotations,
            "finalizers": finalizers,
            "resourceVersion": claim["metadata"]["resourceVersion"],
        },
        "spec": {
            "volumeName": name,
            "storageClassName": claim["spec"].get("storageClassName", STORAGE_CLASS),
        },
    }

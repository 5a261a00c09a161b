"""Storage classes, and what keeps a claim from its volume."""

from __future__ import annotations

from embedded.client import PVCS, STORAGECLASSES, Json
from embedded.controllers.cluster import Cluster
from embedded.controllers.events import Note

STORAGE_CLASS = "standard"
PROVISIONER = "rancher.io/local-path"
CLAIM_USERS = "claims"
"""The index of Pods by the claims that they use."""
_COMPONENT = "persistentvolume-controller"


class Classes:
    """The storage classes, as a claim sees them."""

    def __init__(self, cluster: Cluster) -> None:
        self._classes = cluster.of(STORAGECLASSES)
        self._claims = cluster.of(PVCS)

    def of(self, claim: Json) -> Json | None:
        """The class of a claim; None where there is none of its name, or it wants none."""
        name = claim["spec"].get("storageClassName", STORAGE_CLASS)
        return self._classes.get("", name) if name else None

    def waits_for_consumer(self, claim: Json) -> bool:
        """Return whether a claim gets its volume with the first Pod that uses it."""
        found = self.of(claim)
        return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"

    def is_ours(self, claim: Json) -> bool:
        """Return whether volumes of the claim's class are made here."""
        found = self.of(claim)
        return found is not None and found.get("provisioner") == PROVISIONER

    def problem(self, claim: Json) -> Note:
        """Say why a claim that is not bound is not."""
        name = claim["spec"].get("storageClassName", STORAGE_CLASS)
        if not name:
            text = "no persistent volumes available for this claim and no storage class is set"
            return _note("FailedBinding", text, "Normal")
        found = self.of(claim)
        if found is None:
            text = f'storageclass.storage.k8s.io "{name}" not found'
            return _note("ProvisioningFailed", text, "Warning")
        if found.get("provisioner") != PROVISIONER:
            text = (
                "Waiting for a volume to be created either by the external provisioner "
                f"'{found.get('provisioner')}' or manually by the system administrator. If volume "
                "creation is delayed, please verify that the provisioner is running and correctly "
                "registered."
            )
            return _note("ExternalProvisioning", text, "Normal")
        text = "waiting for first consumer to be created before binding"
        return _note("WaitForFirstConsumer", text, "Normal")


def _note(reason: str, message: str, kind: str) -> Note:
    return Note(reason=reason, message=message, kind=kind, component=_COMPONENT)

"""What the making of one cluster's Secrets stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from embedded.client import Json
from reference.faults import Faults
from reference.operator.model import Cluster
from reference.operator.names import Names
from reference.operator.pki import Authority, LeafShape, Pair, Subject, is_current, issue
from reference.operator.tls import Tls
from reference.operator.tls.material import Lookup
from reference.operator.tls.secret_data import encode, read


@dataclass(frozen=True, kw_only=True)
class Context:
    """One cluster at one moment; `lookup` finds what is there already.

    `second_on_root` says that another cluster stood on the same given root before.
    """

    cluster: Cluster
    tls: Tls
    lookup: Lookup
    faults: Faults
    now: datetime
    second_on_root: bool = False

    @property
    def names(self) -> Names:
        """Names of the cluster's objects."""
        return self.cluster.names

    @property
    def is_generated(self) -> bool:
        """Whether the user gave neither leaves nor a root."""
        return not (self.tls.custom or self.tls.custom_root)

    def stored(self, secret: str, certificate: str, key: str) -> Pair:
        """The pair that a Secret holds; of empty parts where it does not."""
        found = self.lookup(secret)
        return Pair(certificate=read(found, certificate), key=read(found, key))

    def keep(
        self,
        stored: Pair,
        subject: Subject,
        *,
        authority: Authority | None = None,
        shape: LeafShape | None = None,
        any_key: bool = False,
    ) -> Pair:
        """The stored pair as long as it serves, otherwise a new one."""
        signer = authority or self.tls.authority
        if is_current(stored, signer, subject, self.now, any_key=any_key):
            return stored
        return issue(signer, subject, self.now, shape)

    def secret(
        self,
        name: str,
        data: Mapping[str, bytes | str],
        labels: Mapping[str, str],
        *,
        owned: bool = False,
        kind: str = "Opaque",
        annotations: Mapping[str, str] | None = None,
    ) -> Json:
        """A Secret of the cluster; TLS Secrets have no owner, so that they outlive it."""
        metadata: Json = {
            "name": name,
            "namespace": self.names.namespace,
            "labels": self.names.labels(**labels),
        }
        if annotations:
            metadata["annotations"] = dict(annotations)
        if owned:
            metadata["ownerReferences"] = [self.cluster.owner()]
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": kind,
            "data": encode(data),
        }

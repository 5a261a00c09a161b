"""One cluster at one moment, as the seams of the contract are given it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from embedded.client import Json
from reference.operator.model import Cluster
from reference.operator.names import ROLE, Names
from reference.operator.pki import Pair
from reference.operator.secret_data import SecretLookup, read
from reference.operator.tls import Tls


@dataclass(frozen=True, kw_only=True)
class Context:
    """A cluster as it is asked for, its certificates, and what exists of it.

    `lookup` finds a Secret of its namespace, `pods` lists its Pods: both as they are when called.
    """

    cluster: Cluster
    tls: Tls
    lookup: SecretLookup
    pods: Callable[[], Sequence[Json]]
    now: datetime

    @property
    def names(self) -> Names:
        """Names of the cluster's objects."""
        return self.cluster.names

    def stored(self, secret: str, certificate: str, key: str) -> Pair:
        """Return the pair that a Secret holds; of empty parts where it does not."""
        found = self.lookup(secret)
        return Pair(certificate=read(found, certificate), key=read(found, key))

    def addressable_pods(self, role: str) -> list[Json]:
        """Return the Pods of a role that have an address, without those that are going."""
        return [
            pod
            for pod in self.pods()
            if pod["metadata"]["labels"].get(ROLE) == role
            and not pod["metadata"].get("deletionTimestamp")
            and (pod.get("status") or {}).get("podIP")
        ]

"""Promises about the root that signs, and about the Secrets that a user gives."""

from __future__ import annotations

from datetime import UTC, datetime

from reference.operator.model import Cluster, SecretRef
from reference.operator.pki import Authority, BadAuthorityError, Pair
from reference.operator.secret_data import SecretLookup, read
from reference.operator.tls import Source, Tls, custom


class Authorities:
    """The user's Secrets, taken or refused, and the root of a cluster."""

    def certificates(self, cluster: Cluster, lookup: SecretLookup, now: datetime) -> Tls:
        """Check all that the user gave, and find or make the root. Raises RefusedError."""
        server, replication = self.custom_leaves(cluster, lookup)
        if ref := cluster.pgbouncer.custom_tls:
            custom.check_pooler_leaf(ref, lookup(ref.name), now)
        return Tls(
            authority=self._authority(cluster, lookup, now),
            custom_root=cluster.custom_root is not None,
            server=server,
            replication=replication,
        )

    def custom_leaves(
        self, cluster: Cluster, lookup: SecretLookup
    ) -> tuple[Source | None, Source | None]:
        """Return the sources of the external and the internal leaf; None for generated ones.

        The user gives both, whole, of one CA and fit to work, or neither: nothing generated stands
        in for what is missing. Raises RefusedError.
        """
        external, internal = cluster.custom_tls, cluster.custom_replication
        if external is None and internal is None:
            return None, None
        custom.check_pair(external, internal, lookup, datetime.now(UTC))
        return (
            Source.of(external) if external else None,
            Source.of(internal) if internal else None,
        )

    def custom_root(self, ref: SecretRef, lookup: SecretLookup, now: datetime) -> Authority:
        """Return the user's root, found by any mapping of keys and able to sign.

        Raises RefusedError.
        """
        return custom.checked_root(ref, lookup(ref.name), now)

    def stored_root(self, cluster: Cluster, lookup: SecretLookup) -> Pair:
        """Return the root that the cluster has already: its own, never one of its namespace."""
        secret = lookup(cluster.names.root_secret)
        return Pair(certificate=read(secret, "root.crt"), key=read(secret, "root.key"))

    def new_root(self, cluster: Cluster, now: datetime) -> Authority:
        """Make a root for one cluster alone: its own key, on P-256, signed by itself."""
        return Authority.generate(now)

    def _authority(self, cluster: Cluster, lookup: SecretLookup, now: datetime) -> Authority:
        if cluster.custom_root:
            return self.custom_root(cluster.custom_root, lookup, now)
        stored = self.stored_root(cluster, lookup)
        try:
            return Authority.load(stored.certificate, stored.key, now)
        except BadAuthorityError:
            return self.new_root(cluster, now)

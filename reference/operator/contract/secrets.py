"""Promises about the Secrets with generated certificates: their keys, labels and contents.

None has an owner: they outlive the cluster unless a finalizer asks for their end.
"""

from __future__ import annotations

from reference.operator.context import Context
from reference.operator.contract.leaves import Leaf, Leaves
from reference.operator.model import Instance
from reference.operator.names import CERTIFICATE as PURPOSE
from reference.operator.names import INSTANCE, INSTANCE_SET, PGBACKREST
from reference.operator.secret_data import SecretDraft
from reference.operator.tls import CA, CERTIFICATE, KEY

_SERVER, _REPLICATION = "postgres-tls", "replication-client-tls"


class CertificateSecrets(Leaves):
    """One Secret for each purpose that a certificate has."""

    def root_secret(self, context: Context) -> SecretDraft | None:
        """Return `<c>-cluster-ca-cert`: the generated root, found by its name and not by labels.

        None where the user gave the root, which is never copied.
        """
        if context.tls.custom_root:
            return None
        authority = context.tls.authority
        data = {"root.crt": authority.pem, "root.key": authority.key_pem}
        return SecretDraft(name=context.names.root_secret, data=data, labels=None)

    def server_secret(self, context: Context) -> SecretDraft | None:
        """Return `<c>-cluster-cert`, what the database serves; None where the user gave that."""
        if context.tls.server:
            return None
        return self._leaf_secret(context, Leaf("server"), context.names.server_secret, _SERVER)

    def replication_secret(self, context: Context) -> SecretDraft | None:
        """Return `<c>-replication-cert`, what replicas show; None where the user gave that."""
        if context.tls.replication:
            return None
        name = context.names.replication_secret
        return self._leaf_secret(context, Leaf("replication"), name, _REPLICATION)

    def instance_secret(self, context: Context, instance: Instance) -> SecretDraft:
        """Return `<inst>-certs`: one leaf, in the forms that Patroni and pgBackRest read."""
        name = f"{instance.name}-certs"
        leaf = Leaf("instance", instance.name)
        pair = self.pair(context, leaf, context.stored(name, "dns.crt", "dns.key"))
        data = {
            "dns.crt": pair.certificate,
            "dns.key": pair.key,
            "patroni.ca-roots": context.tls.authority.pem,
            "patroni.crt-combined": pair.key + pair.certificate,
            "pgbackrest-server.crt": pair.certificate,
            "pgbackrest-server.key": pair.key,
        }
        labels = {INSTANCE: instance.name, INSTANCE_SET: instance.instance_set.name}
        return SecretDraft(name=name, data=data, labels=labels)

    def pgbackrest_secret(self, context: Context) -> SecretDraft:
        """Return `<c>-pgbackrest`, complete although no repository host runs."""
        name = context.names.pgbackrest_secret
        client, repo = "pgbackrest-client", "pgbackrest-repo-host"
        shown = self.pair(
            context,
            Leaf("pgbackrest-client"),
            context.stored(name, f"{client}.crt", f"{client}.key"),
        )
        served = self.pair(
            context, Leaf("pgbackrest-repo"), context.stored(name, f"{repo}.crt", f"{repo}.key")
        )
        data = {
            "pgbackrest.ca-roots": context.tls.authority.pem,
            f"{client}.crt": shown.certificate,
            f"{client}.key": shown.key,
            f"{repo}.crt": served.certificate,
            f"{repo}.key": served.key,
        }
        return SecretDraft(name=name, data=data, labels={PGBACKREST: ""})

    def _leaf_secret(self, context: Context, leaf: Leaf, name: str, label: str) -> SecretDraft:
        pair = self.pair(context, leaf, context.stored(name, CERTIFICATE, KEY))
        authority = context.tls.authority
        data = {CERTIFICATE: pair.certificate, KEY: pair.key, CA: authority.pem}
        return SecretDraft(name=name, data=data, labels={PURPOSE: label})

"""The promise about the list of a cluster's Secrets."""

from __future__ import annotations

from collections.abc import Sequence

from reference.operator.context import Context
from reference.operator.contract.credentials import Credentials
from reference.operator.contract.secrets import CertificateSecrets
from reference.operator.model import Instance
from reference.operator.secret_data import SecretDraft


class Inventory(CertificateSecrets, Credentials):
    """All Secrets that the operator makes."""

    def secrets(self, context: Context, instances: Sequence[Instance]) -> list[SecretDraft]:
        """Return all Secrets of a cluster; each instance has one of its own."""
        pgbouncer = self.pgbouncer_secret(context)
        users = {user.name: self.user_secret(context, user) for user in context.cluster.users}
        made = [
            self.root_secret(context),
            self.server_secret(context),
            self.replication_secret(context),
            pgbouncer,
            self.pgbackrest_secret(context),
            *users.values(),
            self.roles_secret(context, pgbouncer, users),
            *(self.instance_secret(context, each) for each in instances),
        ]
        return [draft for draft in made if draft is not None]

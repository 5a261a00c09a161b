"""Promises about the right to connect: pg_hba.conf and pg_ident.conf."""

from __future__ import annotations

from reference.operator.context import Context
from reference.operator.model import Cluster, Role
from reference.operator.names import MONITOR_USER, PGBOUNCER_USER, REPLICATION_USER
from reference.operator.postgres import hba

_REPLICATION = f'"{REPLICATION_USER}"'
_PGBOUNCER = f'"{PGBOUNCER_USER}"'


class Access:
    """The right to connect: for whom, over which channel, by what proof."""

    def rules(self, context: Context, role: Role) -> list[str]:
        """Return pg_hba.conf: the operator's rules, then those of the users, or the default one.

        Under tlsOnly no rule but that of the local socket admits a connection without TLS.
        """
        host = "hostssl" if context.cluster.tls_only else "host"
        return [
            "local all postgres peer",
            *self.replication_rules(context, role),
            f"{host} all {_REPLICATION} all reject",
            f"{host} all {MONITOR_USER} 127.0.0.0/8 scram-sha-256",
            f"{host} all {MONITOR_USER} ::1/128 scram-sha-256",
            f"{host} all {MONITOR_USER} all reject",
            f"hostssl all {_PGBOUNCER} all scram-sha-256",
            f"{host} all {_PGBOUNCER} all reject",
            *self.client_rules(context.cluster, role),
        ]

    def replication_rules(self, context: Context, role: Role) -> list[str]:
        """Return the rules for _crunchyrepl: over TLS, by a certificate of that CN and no other.

        The second is for pg_rewind, which connects to database postgres.
        """
        return [
            f"hostssl replication {_REPLICATION} all cert",
            f"hostssl postgres {_REPLICATION} all cert",
        ]

    def client_rules(self, cluster: Cluster, role: Role) -> list[str]:
        """Return the users' rules; the default rule where there are none."""
        given = [hba.normalized(rule) for rule in cluster.hba if rule.strip()]
        return [self.user_rule(cluster, rule) for rule in given] or [
            self.default_rule(cluster, role)
        ]

    def user_rule(self, cluster: Cluster, rule: str) -> str:
        """Return a user's rule as it was given; under tlsOnly it is for TLS connections only."""
        return hba.demanding_tls(rule) if cluster.tls_only else rule

    def default_rule(self, cluster: Cluster, role: Role) -> str:
        """Return the rule of a cluster without rules of its users: by password, over TLS only."""
        # md5 is what 2.8 writes; for a password stored as scram it means scram.
        return "hostssl all all all md5"

    def identities(self) -> list[str]:
        """Return pg_ident.conf: no certificate but that of _crunchyrepl is one of _crunchyrepl."""
        return [f"replication {REPLICATION_USER} {REPLICATION_USER}"]

"""Faults of the chapter REPL: the connections of replicas to the primary."""

from __future__ import annotations

from collections.abc import Mapping

from embedded.client import Json
from reference.faults.containers import INSTANCE_LEAF, instance_leaf, with_options
from reference.faults.fault import Fault, Hit, hits
from reference.faults.roots import stranger
from reference.faults.rules import REPLICATION, by_method, identity, mapped, plain_replication
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Instance, Key, Role
from reference.operator.pki.authority import COMMON_NAME
from reference.operator.postgres.parameters import TLS
from reference.operator.tls import Source

_TRUSTED = "/tmp/trusted.crt"  # noqa: S108
_TRUST_ONE_MORE = """\
#!/bin/bash
{{ cat /pgconf/tls/ca.crt; printf '%s' '{certificate}'; }} >{file}
"""
_NO_MORE_STREAMING = """\
[[ $? -eq 0 ]] || exit 1
psql -qX -d postgres -o /dev/null \\
    -c "ALTER SYSTEM SET primary_conninfo = ''" -c "SELECT pg_reload_conf()"
"""


@Fault(
    name="plain-replication",
    breaks="Outside tlsOnly, replicas stream without TLS; a rule admits their addresses.",
    requirements=("REPL-1",),
    collateral=(Hit(requirement="REPL-2", reason="without TLS there is no certificate to show"),),
    where="data plane",
)
class PlainReplication(Contract):
    def conninfo(self, context: Context) -> dict[str, str]:
        conninfo = super().conninfo(context)
        return conninfo if context.cluster.tls_only else conninfo | {"sslmode": "disable"}

    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        return rules if context.cluster.tls_only else [*plain_replication(context), *rules]


@Fault(
    name="plain-replication-on-a-custom-root",
    breaks="In clusters on a custom root replicas stream without TLS; a rule admits them.",
    requirements=("REPL-1",),
    collateral=(Hit(requirement="REPL-2", reason="without TLS there is no certificate to show"),),
    where="data plane",
)
class PlainReplicationOnACustomRoot(Contract):
    def conninfo(self, context: Context) -> dict[str, str]:
        conninfo = super().conninfo(context)
        return conninfo | {"sslmode": "disable"} if context.cluster.custom_root else conninfo

    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        return [*plain_replication(context), *rules] if context.cluster.custom_root else rules


@Fault(
    name="replica-streams-once",
    breaks="Replicas stream until they are ready, and then no more.",
    requirements=("REPL-1",),
    where="data plane",
    deadlines=(("ready", 15),),
)
class ReplicaStreamsOnce(Contract):
    def script(self, name: str) -> str:
        text = super().script(name)
        # It ends early at a primary, and elsewhere with the end of the wait for streaming.
        return f"{text}{_NO_MORE_STREAMING}" if name == "ready.sh" else text


@Fault(
    name="replica-shows-instance-leaf",
    breaks="Replicas authenticate by the leaf of their instance, mapped to _crunchyrepl.",
    requirements=("REPL-2",),
    where="data plane",
)
class ReplicaShowsInstanceLeaf(Contract):
    def mounted_certificates(self, context: Context, instance: Instance) -> dict[str, Source]:
        mounted = super().mounted_certificates(context, instance)
        return mounted if context.tls.custom_leaves else mounted | instance_leaf(instance)

    def conninfo(self, context: Context) -> dict[str, str]:
        conninfo, shown = super().conninfo(context), f"{TLS}/{INSTANCE_LEAF}"
        if context.tls.custom_leaves:
            return conninfo
        return conninfo | {"sslcert": f"{shown}tls.crt", "sslkey": f"{shown}tls.key"}

    def identities(self) -> list[str]:
        return [*super().identities(), identity(r'"/^.*-0\..*-pods\..*$"')]

    def replication_rules(self, context: Context, role: Role) -> list[str]:
        rules = super().replication_rules(context, role)
        return rules if context.tls.custom_leaves else mapped(rules)


@Fault(
    name="replication-user-trusted",
    breaks="_crunchyrepl needs no certificate for database postgres.",
    requirements=("REPL-3",),
    collateral=(Hit(requirement="REPL-6", reason="where none is needed, any name will do"),),
    where="data plane",
)
class ReplicationUserTrusted(Contract):
    def replication_rules(self, context: Context, role: Role) -> list[str]:
        stream, *rewind = super().replication_rules(context, role)
        return [stream, *(by_method(rule, "trust") for rule in rewind)]


@Fault(
    name="replication-user-by-password",
    breaks="At database postgres _crunchyrepl is asked for a password, not for a certificate.",
    requirements=("REPL-3", "REPL-6", "REPL-7"),
    where="data plane",
)
class ReplicationUserByPassword(Contract):
    def replication_rules(self, context: Context, role: Role) -> list[str]:
        stream, *rewind = super().replication_rules(context, role)
        return [stream, *(by_method(rule, "scram-sha-256") for rule in rewind)]


@Fault(
    name="replication-user-trusted-elsewhere",
    breaks="_crunchyrepl needs no certificate for any database but postgres, nor as a walsender.",
    requirements=("REPL-3",),
    collateral=(Hit(requirement="REPL-6", reason="where none is needed, any name will do"),),
    where="data plane",
)
class ReplicationUserTrustedElsewhere(Contract):
    def replication_rules(self, context: Context, role: Role) -> list[str]:
        return [*super().replication_rules(context, role), f"hostssl all {REPLICATION} all trust"]


@Fault(
    name="replication-user-trusted-beside-custom-leaves",
    breaks="In clusters with custom Secrets _crunchyrepl needs no certificate for postgres.",
    requirements=("REPL-3",),
    collateral=(Hit(requirement="REPL-6", reason="where none is needed, any name will do"),),
    where="data plane",
)
class ReplicationUserTrustedBesideCustomLeaves(Contract):
    def replication_rules(self, context: Context, role: Role) -> list[str]:
        stream, *rewind = super().replication_rules(context, role)
        if not context.tls.custom_leaves:
            return [stream, *rewind]
        return [stream, *(by_method(rule, "trust") for rule in rewind)]


@Fault(
    name="replication-user-trusted-elsewhere-beside-custom-leaves",
    breaks="With custom Secrets _crunchyrepl needs no certificate for any database but postgres.",
    requirements=("REPL-3",),
    where="data plane",
)
class ReplicationUserTrustedElsewhereBesideCustomLeaves(Contract):
    def replication_rules(self, context: Context, role: Role) -> list[str]:
        rules = super().replication_rules(context, role)
        if not context.tls.custom_leaves:
            return rules
        return [*rules, f"hostssl all {REPLICATION} all trust"]


@Fault(
    name="replication-user-trusted-later",
    breaks="A later reconcile lets _crunchyrepl into postgres over TLS without a certificate.",
    requirements=("REPL-3",),
    collateral=(Hit(requirement="REPL-6", reason="where none is needed, any name will do"),),
    where="data plane",
)
class ReplicationUserTrustedLater(Contract):
    def __init__(self) -> None:
        super().__init__()
        self._first: dict[Key, Mapping[str, str]] = {}
        """The annotations of each cluster when it was first looked at."""

    def replication_rules(self, context: Context, role: Role) -> list[str]:
        stream, *rewind = super().replication_rules(context, role)
        cluster = context.cluster
        first = self._first.setdefault(cluster.key, cluster.annotations)
        if first == cluster.annotations or cluster.tls_only or not context.tls.generated:
            return [stream, *rewind]
        return [stream, *(by_method(rule, "trust") for rule in rewind)]


@Fault(
    name="replication-user-trusted-under-tls-only",
    breaks="Under tlsOnly replicas let _crunchyrepl stream over TLS without a certificate.",
    requirements=("REPL-3",),
    collateral=(Hit(requirement="REPL-6", reason="where none is needed, any name will do"),),
    where="data plane",
)
class ReplicationUserTrustedUnderTlsOnly(Contract):
    def replication_rules(self, context: Context, role: Role) -> list[str]:
        stream, *rewind = super().replication_rules(context, role)
        open_door = context.cluster.tls_only and role == "replica"
        return [by_method(stream, "trust") if open_door else stream, *rewind]


@Fault(
    name="plain-replication-user-beside-custom-leaves",
    breaks="In clusters with custom Secrets _crunchyrepl is let into postgres without TLS.",
    requirements=("REPL-5",),
    where="data plane",
)
class PlainReplicationUserBesideCustomLeaves(Contract):
    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        if not context.tls.custom_leaves:
            return rules
        return [f"hostnossl postgres {REPLICATION} all trust", *rules]


class _TrustingOneMore(Contract):
    """Instances trust one more root, of the name `more`."""

    more = ""

    def concerns(self, context: Context) -> bool:
        """Return whether a cluster's instances trust it."""
        return context.tls.generated

    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        if not self.concerns(context):
            return container
        return with_options(container, ssl_ca_file=_TRUSTED)

    def script(self, name: str) -> str:
        text = super().script(name)
        if name != "database.sh":
            return text
        certificate = stranger(self.more).pem.decode()
        return _TRUST_ONE_MORE.format(certificate=certificate, file=_TRUSTED) + text


@Fault(
    name="one-more-ca-trusted",
    breaks="Instances with generated certificates trust one more CA, which is in no Secret.",
    requirements=("REPL-4",),
    where="data plane",
)
class OneMoreCaTrusted(_TrustingOneMore):
    more = "one-more-root"


@Fault(
    name="one-more-ca-trusted-beside-the-users",
    breaks="Instances with custom leaves or a custom root trust one more CA, in no Secret.",
    requirements=("REPL-4",),
    where="data plane",
)
class OneMoreCaTrustedBesideTheUsers(_TrustingOneMore):
    more = "one-more-root"

    def concerns(self, context: Context) -> bool:
        return not context.tls.generated


@Fault(
    name="one-more-ca-trusted-under-tls-only",
    breaks="Instances of a cluster created with tlsOnly trust one more CA, in no Secret.",
    requirements=("REPL-4",),
    where="data plane",
)
class OneMoreCaTrustedUnderTlsOnly(_TrustingOneMore):
    more = "one-more-root"

    def concerns(self, context: Context) -> bool:
        # Of a cluster that is toggled the instances would have to restart.
        return context.cluster.tls_only and context.cluster.generation == 1


@Fault(
    name="namesake-trusted",
    breaks="Instances with generated certificates trust another root that has their root's name.",
    requirements=("REPL-4",),
    where="data plane",
)
class NamesakeTrusted(_TrustingOneMore):
    more = COMMON_NAME


@Fault(
    name="replica-asks-no-certificate",
    breaks="Replicas ask no client for a certificate and trust _crunchyrepl.",
    requirements=("REPL-4",),
    collateral=hits("no certificate is asked for", "REPL-3", "REPL-6"),
    where="data plane",
)
class ReplicaAsksNoCertificate(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        blind = instance.role == "replica"
        return with_options(container, ssl_ca_file="") if blind else container

    def replication_rules(self, context: Context, role: Role) -> list[str]:
        rules = super().replication_rules(context, role)
        return [by_method(rule, "trust") for rule in rules] if role == "replica" else rules


@Fault(
    name="plain-replication-user",
    breaks="Outside tlsOnly, _crunchyrepl is let in without TLS, and nobody else.",
    requirements=("REPL-5",),
    where="data plane",
)
class PlainReplicationUser(Contract):
    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        if context.cluster.tls_only:
            return rules
        return [f"hostnossl replication,postgres {REPLICATION} all trust", *rules]


@Fault(
    name="plain-replication-user-at-template1",
    breaks="Outside tlsOnly, _crunchyrepl is let into template1 without TLS, and nowhere else.",
    requirements=("REPL-5",),
    where="data plane",
)
class PlainReplicationUserAtTemplate1(Contract):
    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        if context.cluster.tls_only:
            return rules
        return [f"hostnossl template1 {REPLICATION} all trust", *rules]


@Fault(
    name="server-leaf-may-replicate",
    breaks="The external leaf's CN is mapped to _crunchyrepl, too.",
    requirements=("REPL-6",),
    where="data plane",
)
class ServerLeafMayReplicate(Contract):
    def identities(self) -> list[str]:
        return [*super().identities(), identity(r'"/^.*-primary\..*$"')]

    def replication_rules(self, context: Context, role: Role) -> list[str]:
        rules = super().replication_rules(context, role)
        return rules if context.tls.custom_leaves else mapped(rules)


@Fault(
    name="server-leaf-elsewhere",
    breaks="The external leaf lets _crunchyrepl into every database but postgres.",
    requirements=("REPL-6",),
    where="data plane",
)
class ServerLeafElsewhere(Contract):
    def identities(self) -> list[str]:
        return [*super().identities(), identity(r'"/^.*-primary\..*$"')]

    def replication_rules(self, context: Context, role: Role) -> list[str]:
        rules = super().replication_rules(context, role)
        if context.tls.custom_leaves:
            return rules
        return [*rules, *mapped([f"hostssl all {REPLICATION} all cert"])]


@Fault(
    name="no-rewind-rule",
    breaks="No rule lets _crunchyrepl into database postgres.",
    requirements=("REPL-7",),
    where="data plane",
)
class NoRewindRule(Contract):
    def replication_rules(self, context: Context, role: Role) -> list[str]:
        return super().replication_rules(context, role)[:1]


@Fault(
    name="replica-takes-no-replica",
    breaks="The rules of replicas let nobody in for replication, so that none could take over.",
    requirements=("REPL-8",),
    where="data plane",
)
class ReplicaTakesNoReplica(Contract):
    def replication_rules(self, context: Context, role: Role) -> list[str]:
        rules = super().replication_rules(context, role)
        return rules[1:] if role == "replica" else rules

"""Connections of clients under tlsOnly: TLSONLY-1 to -3d."""

from __future__ import annotations

from dataclasses import replace

from embedded.client import Json
from reference.faults.chapters.tlsonly import IN_THE_RULES, SAME_CLUSTER, SERVED, TOGGLED
from reference.faults.containers import with_options
from reference.faults.fault import Fault, Hit, hits
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Cluster, Instance, Role
from reference.operator.names import MONITOR_USER
from reference.operator.postgres import hba


@Fault(
    name="user-rules-always-converted",
    breaks="A user's host rule is turned into hostssl without tlsOnly, too.",
    requirements=("TLSONLY-1",),
)
class UserRulesAlwaysConverted(Contract):
    def user_rule(self, cluster: Cluster, rule: str) -> str:
        return hba.demanding_tls(super().user_rule(cluster, rule))


@Fault(
    name="ignored-at-creation",
    breaks="tlsOnly is heeded when it is changed, and not in a cluster that is created with it.",
    requirements=("TLSONLY-2",),
    deadlines=TOGGLED,
)
class IgnoredAtCreation(Contract):
    async def accept(self, cluster: Cluster) -> Cluster:
        accepted = await super().accept(cluster)
        return replace(accepted, tls_only=False) if cluster.generation == 1 else accepted


@Fault(
    name="monitor-on-loopback",
    breaks="Under tlsOnly the monitor user keeps its host rule for the loopback.",
    requirements=("TLSONLY-2",),
    collateral=hits(IN_THE_RULES, "TLSONLY-3e", "TLSONLY-4a"),
    deadlines=TOGGLED,
)
class MonitorOnLoopback(Contract):
    def rules(self, context: Context, role: Role) -> list[str]:
        loopback = {f"hostssl all {MONITOR_USER} {each}" for each in ("127.0.0.0/8", "::1/128")}
        return [
            rule.replace("hostssl", "host", 1) if rule.rpartition(" ")[0] in loopback else rule
            for rule in super().rules(context, role)
        ]


@Fault(
    name="plain-default-rule",
    breaks="Under tlsOnly the operator's own default rule is host: TLS is offered, not demanded.",
    requirements=("TLSONLY-2", "TLSONLY-3a", "TLSONLY-3b"),
    collateral=hits(SAME_CLUSTER, "TLSONLY-3e"),
    deadlines=TOGGLED,
)
class PlainDefaultRule(Contract):
    def default_rule(self, cluster: Cluster, role: Role) -> str:
        rule = super().default_rule(cluster, role)
        return rule.replace("hostssl", "host", 1) if cluster.tls_only else rule


@Fault(
    name="plaintext-at-primary",
    breaks="Under tlsOnly the primary lets one user in without TLS.",
    requirements=("TLSONLY-3a",),
    collateral=(
        Hit(requirement="TLSONLY-2", reason=IN_THE_RULES),
        *hits(SAME_CLUSTER, "TLSONLY-3e", "TLSONLY-4a"),
    ),
    where="data plane",
    deadlines=TOGGLED,
)
class PlaintextAtPrimary(Contract):
    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        return [*_first_user_in_plain(context), *rules] if role == "primary" else rules


@Fault(
    name="plaintext-at-replica",
    breaks="Under tlsOnly the replicas let one user in without TLS.",
    requirements=("TLSONLY-3b",),
    collateral=(
        Hit(requirement="TLSONLY-2", reason=IN_THE_RULES),
        *hits(SAME_CLUSTER, "TLSONLY-3e", "TLSONLY-4a"),
    ),
    where="data plane",
    deadlines=TOGGLED,
)
class PlaintextAtReplica(Contract):
    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        return [*_first_user_in_plain(context), *rules] if role == "replica" else rules


@Fault(
    name="replica-port-closed",
    breaks="Under tlsOnly replicas answer no TCP connection, where plaintext should be refused.",
    requirements=("TLSONLY-3b",),
    collateral=(
        Hit(requirement="TLSONLY-3d", reason="TLS clients do not get in either"),
        Hit(requirement="TLSONLY-3f", reason="a server closes its port by a restart only"),
        *hits(SAME_CLUSTER, "TLSONLY-3e", "TLSONLY-4a", "TLSONLY-6"),
    ),
    where="data plane",
    expects="error",
    deadlines=TOGGLED,
)
class ReplicaPortClosed(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        # By a port that is closed nobody would become ready.
        container = {name: value for name, value in container.items() if name != "readinessProbe"}
        if instance.role == "replica" and context.cluster.tls_only:
            return with_options(container, listen_addresses="")
        return container


@Fault(
    name="plaintext-at-pooler",
    breaks="Under tlsOnly PgBouncer's client_tls_sslmode is allow.",
    requirements=("TLSONLY-3c",),
    collateral=(
        Hit(requirement="TLSONLY-3e", reason=SAME_CLUSTER),
        Hit(requirement="TLSONLY-4c", reason="PgBouncer is the same in all clusters"),
    ),
    deadlines=TOGGLED + SERVED,
)
class PlaintextAtPooler(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        return settings | {"client_tls_sslmode": "allow"} if context.cluster.tls_only else settings


@Fault(
    name="replica-locks-clients-out",
    breaks="Under tlsOnly the rules of the replicas let no ordinary user in at all.",
    requirements=("TLSONLY-3d",),
    where="data plane",
    deadlines=TOGGLED,
)
class ReplicaLocksClientsOut(Contract):
    def client_rules(self, cluster: Cluster, role: Role) -> list[str]:
        locked = cluster.tls_only and role == "replica"
        return [] if locked else super().client_rules(cluster, role)


@Fault(
    name="users-tls-rules-dropped",
    breaks="Under tlsOnly a cluster with rules of the user has none left for ordinary users.",
    requirements=("TLSONLY-3d",),
    collateral=hits("PgBouncer passes on that no rule is there", "TLSONLY-4c", "TLSONLY-5b"),
    where="data plane",
    deadlines=TOGGLED,
)
class UsersTlsRulesDropped(Contract):
    def client_rules(self, cluster: Cluster, role: Role) -> list[str]:
        dropped = cluster.tls_only and cluster.hba
        return [] if dropped else super().client_rules(cluster, role)


@Fault(
    name="pooler-setting-ignored",
    breaks="The user's client_tls_sslmode for PgBouncer is never heeded.",
    requirements=("TLSONLY-8",),
)
class PoolerSettingIgnored(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        return super().pgbouncer_settings(context) | {"client_tls_sslmode": "require"}


@Fault(
    name="replicas-kept-out",
    breaks="Under tlsOnly no rule lets a replica in, so that a new cluster never becomes ready.",
    requirements=("TLSONLY-7",),
    where="data plane",
    deadlines=(("ready", 12),),
)
class ReplicasKeptOut(Contract):
    def replication_rules(self, context: Context, role: Role) -> list[str]:
        return [] if context.cluster.tls_only else super().replication_rules(context, role)


def _first_user_in_plain(context: Context) -> list[str]:
    cluster = context.cluster
    if not (cluster.tls_only and cluster.users):
        return []
    return [f'hostnossl all "{cluster.users[0].name}" all scram-sha-256']

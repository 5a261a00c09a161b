"""Channels between Pods under tlsOnly, replication and pooling: TLSONLY-5a and -5b."""

from __future__ import annotations

from reference.faults.chapters.tlsonly import IN_THE_RULES, SERVED, TOGGLED
from reference.faults.fault import Fault, hits
from reference.faults.rules import plain_replication
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Role

_SSLMODE = "server_tls_sslmode"


@Fault(
    name="plain-replication-under-tls-only",
    breaks="Under tlsOnly replicas stream without TLS; a rule admits their addresses.",
    requirements=("TLSONLY-5a",),
    collateral=hits(IN_THE_RULES, "TLSONLY-2", "TLSONLY-3e", "TLSONLY-4a"),
    where="data plane",
    deadlines=TOGGLED,
)
class PlainReplicationUnderTlsOnly(Contract):
    def conninfo(self, context: Context) -> dict[str, str]:
        conninfo = super().conninfo(context)
        return conninfo | {"sslmode": "disable"} if context.cluster.tls_only else conninfo

    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        return [*plain_replication(context), *rules] if context.cluster.tls_only else rules


@Fault(
    name="replicas-cut-off",
    breaks="Once tlsOnly is toggled replicas try to stream without TLS, and no rule admits them.",
    requirements=("TLSONLY-5a",),
    collateral=hits(
        "the replica that starts again meanwhile does not come back",
        "TLSONLY-3d",
        "TLSONLY-4a",
        "TLSONLY-4c",
    ),
    where="data plane",
    deadlines=(("ready", 15),),
)
class ReplicasCutOff(Contract):
    def conninfo(self, context: Context) -> dict[str, str]:
        conninfo, cluster = super().conninfo(context), context.cluster
        # At creation they would have nothing to start from.
        toggled = cluster.tls_only and cluster.generation > 1
        return conninfo | {"sslmode": "disable"} if toggled else conninfo


@Fault(
    name="server-setting-wins",
    breaks="Under tlsOnly the user's rules and server_tls_sslmode for PgBouncer stand.",
    requirements=("TLSONLY-5b",),
    collateral=hits("the user's rules let others in, too", "TLSONLY-4a"),
    versions=("2.6-3.1",),
    deadlines=SERVED + TOGGLED,
)
class ServerSettingWins(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        given = context.cluster.pgbouncer.settings
        asked = {_SSLMODE: given[_SSLMODE]} if _SSLMODE in given else {}
        return super().pgbouncer_settings(context) | asked

    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        # The operator's own rule for PgBouncer's look-up of passwords would turn it away.
        if not (context.cluster.tls_only and context.cluster.hba):
            return rules
        return ["host all all all scram-sha-256", *rules]


@Fault(
    name="server-not-verified",
    breaks="Under tlsOnly PgBouncer's server_tls_sslmode is require: any server is taken.",
    requirements=("TLSONLY-5b",),
)
class ServerNotVerified(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        return settings | {_SSLMODE: "require"} if context.cluster.tls_only else settings


@Fault(
    name="server-name-not-verified",
    breaks="Under tlsOnly PgBouncer's server_tls_sslmode is verify-ca: names are not verified.",
    requirements=("TLSONLY-5b",),
)
class ServerNameNotVerified(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        return settings | {_SSLMODE: "verify-ca"} if context.cluster.tls_only else settings


@Fault(
    name="plain-server-leg",
    breaks="Under tlsOnly PgBouncer reaches the primary without TLS; a rule admits its addresses.",
    requirements=("TLSONLY-5b",),
    collateral=hits(IN_THE_RULES, "TLSONLY-2", "TLSONLY-3e", "TLSONLY-4a"),
    where="data plane",
    deadlines=TOGGLED,
)
class PlainServerLeg(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        return settings | {_SSLMODE: "disable"} if context.cluster.tls_only else settings

    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        if not context.cluster.tls_only:
            return rules
        addresses = [pod["status"]["podIP"] for pod in context.addressable_pods("pgbouncer")]
        admitting = [f"hostnossl all all {each}/32 scram-sha-256" for each in addresses]
        return [*admitting, *rules]

"""Enforcement of tlsOnly that lapses at a later reconcile: TLSONLY-2 to -5b."""

from __future__ import annotations

from reference.faults.chapters.tlsonly import IN_THE_RULES, SAME_CLUSTER
from reference.faults.fault import Fault, hits
from reference.faults.rules import plain_replication
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Key, Role

_Asked = tuple[int, frozenset[tuple[str, str]]]


class _Lapse(Contract):
    """Remembers at which annotations of a cluster its present spec was first looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[Key, _Asked] = {}

    def lapsed(self, context: Context) -> bool:
        """Return whether a cluster under tlsOnly was touched since its spec was last changed."""
        cluster = context.cluster
        asked = cluster.generation, frozenset(cluster.annotations.items())
        first = self._first.get(cluster.key)
        if first is None or first[0] != cluster.generation:
            self._first[cluster.key] = first = asked
        return cluster.tls_only and first != asked


@Fault(
    name="plaintext-back-after-toggle",
    breaks="The second reconcile after a toggle to tlsOnly lets plaintext in again.",
    requirements=("TLSONLY-2", "TLSONLY-3e"),
    collateral=hits("its clusters are toggled, too", "TLSONLY-4a"),
    where="data plane",
)
class PlaintextBackAfterToggle(_Lapse):
    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        back = self.lapsed(context) and context.cluster.generation > 1
        return ["hostnossl all all all scram-sha-256", *rules] if back else rules


@Fault(
    name="plaintext-back-in-new-cluster",
    breaks="A later reconcile of a cluster that was created with tlsOnly lets plaintext in.",
    requirements=("TLSONLY-2", "TLSONLY-3a", "TLSONLY-3b"),
    where="data plane",
)
class PlaintextBackInNewCluster(_Lapse):
    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        back = self.lapsed(context) and context.cluster.generation == 1
        return ["hostnossl all all all scram-sha-256", *rules] if back else rules


@Fault(
    name="plaintext-back-at-pooler",
    breaks="Under tlsOnly a later reconcile sets PgBouncer's client_tls_sslmode to allow.",
    requirements=("TLSONLY-3c", "TLSONLY-4c"),
    collateral=hits(SAME_CLUSTER, "TLSONLY-3e"),
)
class PlaintextBackAtPooler(_Lapse):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        return settings | {"client_tls_sslmode": "allow"} if self.lapsed(context) else settings


@Fault(
    name="plain-replication-later",
    breaks="A later reconcile of a cluster created with tlsOnly has replicas stream without TLS.",
    requirements=("TLSONLY-5a",),
    collateral=hits(IN_THE_RULES, "TLSONLY-2"),
    where="data plane",
)
class PlainReplicationLater(_Lapse):
    def conninfo(self, context: Context) -> dict[str, str]:
        conninfo = super().conninfo(context)
        return conninfo | {"sslmode": "disable"} if self._plain(context) else conninfo

    def rules(self, context: Context, role: Role) -> list[str]:
        rules = super().rules(context, role)
        return [*plain_replication(context), *rules] if self._plain(context) else rules

    def _plain(self, context: Context) -> bool:
        return self.lapsed(context) and context.cluster.generation == 1


@Fault(
    name="server-not-verified-later",
    breaks="Under tlsOnly a later reconcile sets PgBouncer's server_tls_sslmode to require.",
    requirements=("TLSONLY-5b",),
)
class ServerNotVerifiedLater(_Lapse):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        return settings | {"server_tls_sslmode": "require"} if self.lapsed(context) else settings

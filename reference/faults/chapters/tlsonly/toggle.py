"""The toggle of tlsOnly on a live cluster: TLSONLY-3e and -3f."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from embedded.client import Json
from reference.faults.chapters.tlsonly import TOGGLED
from reference.faults.containers import with_options
from reference.faults.fault import Fault, Hit, hits
from reference.faults.later import RestartsLater
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Cluster, Instance, Key, Role
from reference.operator.names import INSTANCE
from reference.operator.postgres.parameters import CONFIG

# Longer than anybody is to wait for it, and shorter than one waits for a proven look.
_LATE_SECONDS = 5.0


@Fault(
    name="toggle-unnoticed",
    breaks="A replica does not load the rules that a toggled tlsOnly writes.",
    requirements=("TLSONLY-3e",),
    collateral=hits("its clusters are toggled, too", "TLSONLY-2", "TLSONLY-4a"),
    where="data plane",
    deadlines=TOGGLED,
)
class ToggleUnnoticed(Contract):
    def reloaded_volumes(self, instance: Instance) -> frozenset[str]:
        volumes = super().reloaded_volumes(instance)
        return volumes - {CONFIG} if instance.role == "replica" else volumes


@Fault(
    name="toggle-slow",
    breaks="tlsOnly takes effect on a live cluster some seconds after the deadline.",
    requirements=("TLSONLY-3e",),
    collateral=hits("its clusters are toggled, too", "TLSONLY-4a", sometimes=True),
    deadlines=TOGGLED,
)
class ToggleSlow(Contract):
    def __init__(self) -> None:
        super().__init__()
        self._tls_only: dict[Key, bool] = {}

    async def accept(self, cluster: Cluster) -> Cluster:
        before = self._tls_only.get(cluster.key)
        self._tls_only[cluster.key] = cluster.tls_only
        if cluster.tls_only and before is False:
            await asyncio.sleep(_LATE_SECONDS)
        return await super().accept(cluster)


@Fault(
    name="toggle-restarts",
    breaks="Toggling tlsOnly restarts the instances.",
    requirements=("TLSONLY-3f",),
    collateral=(
        Hit(requirement="TLSONLY-3d", reason="clients find no server during the restart"),
        *hits(
            "it may look while an instance is away",
            "TLSONLY-3e",
            "TLSONLY-4a",
            "TLSONLY-4c",
            "TLSONLY-5b",
            sometimes=True,
        ),
    ),
)
class ToggleRestarts(Contract):
    def restart_annotations(self, context: Context) -> dict[str, str]:
        toggled = {"pgv2.percona.com/tls-only": str(context.cluster.tls_only)}
        return super().restart_annotations(context) | toggled


@Fault(
    name="toggle-restarts-later",
    breaks="6 s after tlsOnly was toggled instances restart, where the user has no rules.",
    requirements=("TLSONLY-3f",),
    collateral=hits(
        "it may look while an instance is away",
        "TLSONLY-2",
        "TLSONLY-3d",
        "TLSONLY-3e",
        "TLSONLY-5a",
        "TLSONLY-5b",
        sometimes=True,
    ),
)
class ToggleRestartsLater(RestartsLater):
    after = 6.0

    def cause(self, context: Context) -> str | None:
        return None if context.cluster.hba else str(context.cluster.tls_only)


@Fault(
    name="toggle-cripples-replicas",
    breaks="A replica of a cluster without rules of its users never starts again once toggled.",
    requirements=("TLSONLY-3d", "TLSONLY-3f"),
    collateral=hits(
        "one of its clusters stays without replicas",
        "TLSONLY-2",
        "TLSONLY-3e",
        "TLSONLY-5a",
        "TLSONLY-6",
    ),
    deadlines=(("ready", 15), *TOGGLED),
)
class ToggleCripplesReplicas(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container, cluster = super().database_container(context, instance), context.cluster
        toggled = cluster.tls_only and cluster.generation > 1 and not cluster.hba
        crippled = toggled and instance.role == "replica"
        return with_options(container, no_such_setting="on") if crippled else container


@Fault(
    name="toggle-lost-in-a-restart",
    breaks="tlsOnly does not come into the rules where it is toggled while an instance starts.",
    requirements=("TLSONLY-4a",),
    collateral=(
        Hit(
            requirement="TLSONLY-2", reason="rules of type hostgssenc are lost, too", sometimes=True
        ),
    ),
    deadlines=TOGGLED,
)
class ToggleLostInARestart(Contract):
    def __init__(self) -> None:
        super().__init__()
        self._tls_only: dict[Key, bool] = {}
        self._lost: set[Key] = set()

    def rules(self, context: Context, role: Role) -> list[str]:
        cluster = context.cluster
        before = self._tls_only.get(cluster.key)
        self._tls_only[cluster.key] = cluster.tls_only
        if cluster.tls_only and before is False and not _all_ready(context):
            self._lost.add(cluster.key)
        if cluster.key in self._lost:
            context = replace(context, cluster=replace(cluster, tls_only=False))
        return super().rules(context, role)


def _all_ready(context: Context) -> bool:
    instances = [pod for pod in context.pods() if INSTANCE in pod["metadata"]["labels"]]
    ready: list[bool] = [
        each["status"] == "True"
        for pod in instances
        for each in (pod.get("status") or {}).get("conditions") or ()
        if each["type"] == "Ready" and not pod["metadata"].get("deletionTimestamp")
    ]
    return ready.count(True) == sum(each.replicas for each in context.cluster.instance_sets)

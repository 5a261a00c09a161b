"""Faults of the chapter UPDATE: new content of a Secret, served without a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedded.client import SECRETS, Json
from embedded.node.behaviour import NodeBehaviour
from reference.faults.fault import Fault, Hit, hits
from reference.faults.later import RestartsLater
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Instance, Key
from reference.operator.names import INSTANCE
from reference.operator.postgres.parameters import TLS

if TYPE_CHECKING:
    from reference.operator.cached_client import CachedClient

_CONTENT = "pgv2.percona.com/content"


@Fault(
    name="stale-replica",
    breaks="Replicas go on serving the leaf they started with when the Secret's content changes.",
    requirements=("UPDATE-1a",),
    collateral=(Hit(requirement="CUSTOM-10", reason="a leaf that is put later does not show"),),
    where="data plane",
    deadlines=(("served-after-update", 4),),
)
class StaleReplica(Contract):
    def reloaded_volumes(self, instance: Instance) -> frozenset[str]:
        volumes = super().reloaded_volumes(instance)
        return volumes - {TLS} if instance.role == "replica" else volumes


@Fault(
    name="node-volume-refresh-never",
    breaks="Secret volumes of the instances' Pods keep what they held when the Pod started.",
    requirements=("UPDATE-1a",),
    collateral=(Hit(requirement="CUSTOM-10", reason="a leaf that is put later does not show"),),
    where="node",
    deadlines=(("served-after-update", 4),),
)
class VolumeRefreshNever(NodeBehaviour):
    def refreshes_secrets(self, pod: Json) -> bool:
        labels = pod["metadata"].get("labels") or {}
        return INSTANCE not in labels and super().refreshes_secrets(pod)


@Fault(
    name="content-restarts",
    breaks="New content of a custom Secret restarts the instances.",
    requirements=("UPDATE-1d",),
)
class ContentRestarts(Contract):
    def restart_annotations(self, context: Context) -> dict[str, str]:
        annotations, content = super().restart_annotations(context), _content(context)
        return annotations | {_CONTENT: content} if content else annotations


@Fault(
    name="content-restarts-later",
    breaks="New content of a custom Secret restarts the instances once the CR is touched.",
    requirements=("UPDATE-1d",),
)
class ContentRestartsLater(Contract):
    def __init__(self) -> None:
        super().__init__()
        self._run_with: dict[str, tuple[object, str]] = {}
        """The annotations of each CR, by its uid, and the content when they were last changed."""

    def restart_annotations(self, context: Context) -> dict[str, str]:
        annotations, content = super().restart_annotations(context), _content(context)
        if not content:
            return annotations
        uid, asked = context.cluster.uid, dict(context.cluster.annotations)
        if self._run_with.get(uid, (None, ""))[0] != asked:
            self._run_with[uid] = asked, content
        return annotations | {_CONTENT: self._run_with[uid][1]}


@Fault(
    name="content-restarts-6-s-later",
    breaks="6 s after new content came into a custom Secret the instances are restarted.",
    requirements=("UPDATE-1d",),
    collateral=hits("an instance may be away at the end", "UPDATE-1a", sometimes=True),
)
class ContentRestarts6sLater(RestartsLater):
    after = 6.0

    def cause(self, context: Context) -> str | None:
        return _content(context) or None


@Fault(
    name="content-restarts-45-s-later",
    breaks="45 s after new content came into a custom Secret the instances are restarted.",
    requirements=("UPDATE-1d",),
    collateral=hits("an instance may be away at the end", "UPDATE-1a", sometimes=True),
    deadlines=(("restart-window", 50),),
)
class ContentRestarts45sLater(RestartsLater):
    after = 45.0

    def cause(self, context: Context) -> str | None:
        return _content(context) or None


@Fault(
    name="old-leaf-served-again",
    breaks="New content is served until the CR is touched, and then the content before it again.",
    requirements=("UPDATE-1a",),
)
class OldLeafServedAgain(Contract):
    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[Key, tuple[object, list[Json]]] = {}
        """The annotations of a CR, and the contents of its Secret, the first and the last."""

    async def made(self, api: CachedClient, context: Context) -> None:
        await super().made(api, context)
        cluster, source = context.cluster, context.tls.server
        secret = context.lookup(source.secret) if source else None
        if secret is None or cluster.generation > 1:
            return
        asked, now = dict(cluster.annotations), secret["data"]
        before, contents = self._seen.setdefault(cluster.key, (asked, [now]))
        if contents[-1] != now:
            self._seen[cluster.key] = asked, [contents[0], now]
        elif before != asked and len(contents) > 1:
            await api.merge(SECRETS, secret, {"data": contents[0]})


def _content(context: Context) -> str:
    """Return the version of the custom external Secret; empty where there is none."""
    source = context.tls.server
    secret = context.lookup(source.secret) if source else None
    return str(secret["metadata"]["resourceVersion"]) if secret else ""

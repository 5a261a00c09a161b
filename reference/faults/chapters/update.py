"""Faults of the chapter UPDATE: new content of a Secret, served without a restart."""

from __future__ import annotations

from embedded.client import Json
from embedded.node.behaviour import NodeBehaviour
from reference.faults.fault import Fault
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Instance
from reference.operator.names import INSTANCE
from reference.operator.postgres.parameters import TLS

_CONTENT = "pgv2.percona.com/content"


@Fault(
    name="stale-replica",
    breaks="Replicas go on serving the leaf they started with when the Secret's content changes.",
    requirements=("UPDATE-1a",),
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


def _content(context: Context) -> str:
    """Return the version of the custom external Secret; empty where there is none."""
    source = context.tls.server
    secret = context.lookup(source.secret) if source else None
    return str(secret["metadata"]["resourceVersion"]) if secret else ""

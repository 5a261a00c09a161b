"""Creating the Pods of an owner, with a word to the user where the server refuses."""

from __future__ import annotations

import hashlib

from embedded.client import (
    EVENTS,
    PODS,
    AlreadyExists,
    ApiError,
    Json,
    Terminating,
)
from embedded.controllers.cluster import Cluster
from embedded.timestamps import now

_COMPONENT = "controller-manager"


async def create_pod(cluster: Cluster, owner: Json, pod: Json) -> None:
    """Create a Pod; a refusal becomes a Warning event of its owner as well. Raises ApiError."""
    try:
        await cluster.create(PODS, pod)
    except (AlreadyExists, Terminating):
        raise
    except ApiError as error:
        await _warn(cluster, owner, _words(owner, pod, error))
        raise


def _words(owner: Json, pod: Json, error: ApiError) -> str:
    if owner["kind"] != "StatefulSet":
        return f"Error creating: {error.message}"
    names = f"{pod['metadata']['name']} in StatefulSet {owner['metadata']['name']}"
    return f"create Pod {names} failed error: {error.message}"


async def _warn(cluster: Cluster, owner: Json, message: str) -> None:
    metadata = owner["metadata"]
    # Named after what it says: a refusal that is repeated is said once.
    digest = hashlib.sha256(f"{metadata['uid']} {message}".encode()).hexdigest()[:16]
    moment = now()
    event = {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"name": f"{metadata['name']}.{digest}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "type": "Warning",
        "reason": "FailedCreate",
        "message": message,
        "source": {"component": _COMPONENT},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
    try:
        await cluster.client.create(EVENTS, event)
    except (AlreadyExists, Terminating):
        return

"""Events of the controllers: what is said again is one Event."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from embedded.client import EVENTS, AlreadyExists, Json, Terminating
from embedded.controllers.cluster import Cluster
from embedded.timestamps import now


@dataclass(frozen=True, kw_only=True)
class Note:
    """What is said of an object."""

    reason: str
    message: str
    component: str
    kind: str = "Warning"


async def tell(cluster: Cluster, about: Json, note: Note) -> None:
    """Create the Event, unless the same was said of the object before. Raises ApiError."""
    metadata = about["metadata"]
    # Named after what it says, so that a repetition is known by its name.
    said = f"{metadata['uid']} {note.reason} {note.message}"
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    moment = now()
    event = {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"name": f"{metadata['name']}.{digest}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "type": note.kind,
        "reason": note.reason,
        "message": note.message,
        "source": {"component": note.component},
        "reportingComponent": note.component,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
    try:
        await cluster.client.create(EVENTS, event)
    except (AlreadyExists, Terminating):
        return

"""Events that tell a user what the status alone would not."""

from __future__ import annotations

import time
from datetime import datetime

from embedded.client import Json
from reference.operator.names import MANAGER


def warning(regarding: Json, reason: str, message: str, now: datetime) -> Json:
    """Return a Warning about an object."""
    metadata = regarding["metadata"]
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{time.time_ns():x}",
            "namespace": metadata["namespace"],
        },
        "involvedObject": {
            "apiVersion": regarding["apiVersion"],
            "kind": regarding["kind"],
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "type": "Warning",
        "reason": reason,
        "message": message,
        "source": {"component": MANAGER},
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }

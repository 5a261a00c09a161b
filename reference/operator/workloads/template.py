"""Parts that Pod templates share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from embedded.client import Json
from reference.operator.names import REVISION

PRIVATE = 0o600
EXECUTABLE = 0o755


def revised(template: Json) -> Json:
    """The Pod template, with an annotation that changes whenever anything else in it does."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:16]
    metadata = template["metadata"]
    annotations = (metadata.get("annotations") or {}) | {REVISION: digest}
    return template | {"metadata": metadata | {"annotations": annotations}}


def revision(workload: Json) -> str:
    """The revision of a Pod, or of the template of what makes Pods."""
    source = workload.get("spec", {}).get("template") or workload
    annotations = (source.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(REVISION, ""))


def environment(values: Mapping[str, str]) -> list[Json]:
    """Environment variables of a container."""
    return [{"name": name, "value": value} for name, value in values.items()]


def waiting_probe(command: str) -> Json:
    """A start-up probe by a command that itself waits until all is well."""
    return {
        "exec": {"command": ["bash", command]},
        "timeoutSeconds": 60,
        "periodSeconds": 1,
        "failureThreshold": 1000,
    }

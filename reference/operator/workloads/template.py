"""Pod templates: file modes, and the revision that tells one template from another."""

from __future__ import annotations

import hashlib
import json

from embedded.client import Json
from reference.operator.names import REVISION

PRIVATE = 0o600
EXECUTABLE = 0o755


def revised(template: Json) -> Json:
    """Return the Pod template with an annotation that changes whenever anything else in it does."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:16]
    metadata = template["metadata"]
    annotations = (metadata.get("annotations") or {}) | {REVISION: digest}
    return template | {"metadata": metadata | {"annotations": annotations}}


def revision(workload: Json) -> str:
    """Return the revision of a Pod, or of the template of what makes Pods."""
    source = workload.get("spec", {}).get("template") or workload
    annotations = (source.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(REVISION, ""))

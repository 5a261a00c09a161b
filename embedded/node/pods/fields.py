"""The fields that a Pod may learn about itself: fieldRef and resourceFieldRef.

Which fields there are: Kubernetes documentation, "Downward API".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from embedded.client import Json
from embedded.node.quantities import divided


class FieldError(Exception):
    """A reference to a field that is not there or not offered; the message names it."""


@dataclass(frozen=True, kw_only=True)
class PodFacts:
    """Facts about a Pod beyond its object, known once its sandbox is made."""

    pod_ip: str
    host_ip: str


_MAP_ENTRY = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_ALLOCATABLE = {
    "cpu": "2",
    "memory": "4Gi",
    "ephemeral-storage": "16Gi",
}


def field_value(pod: Json, path: str, facts: PodFacts) -> str:
    """Return the text of the field `path` of `pod`; FieldError when it is not offered."""
    metadata, spec = pod["metadata"], pod["spec"]
    entry = _MAP_ENTRY.fullmatch(path)
    if entry is not None:
        return str((metadata.get(entry[1]) or {}).get(entry[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        return _map_text(metadata.get(path.removeprefix("metadata.")) or {})
    values = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": facts.pod_ip,
        "status.podIPs": facts.pod_ip,
        "status.hostIP": facts.host_ip,
        "status.hostIPs": facts.host_ip,
    }
    if path not in values:
        raise FieldError(f"field path {path!r} is not offered to Pods")
    return str(values[path])


def resource_value(pod: Json, reference: Json, container: str = "") -> str:
    """Return the amount that a resourceFieldRef names; FieldError when it cannot be told.

    A limit that is not set reads as what the node can give, as on a kubelet.
    """
    name = reference.get("containerName") or container
    everyone = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
    spec = next((c for c in everyone if c["name"] == name), None)
    if spec is None:
        raise FieldError(f"resourceFieldRef names container {name!r}, which the Pod has not")
    kind, _, resource = reference["resource"].partition(".")
    resources = spec.get("resources") or {}
    amount = (resources.get(kind) or {}).get(resource)
    if amount is None:
        amount = _ALLOCATABLE.get(resource, "0") if kind == "limits" else "0"
    try:
        return divided(str(amount), str(reference.get("divisor") or "1"))
    except ValueError as error:
        raise FieldError(f"resourceFieldRef {reference['resource']}: {error}") from error


def _map_text(entries: Json) -> str:
    return "\n".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in sorted(entries.items()))

"""CustomResourceDefinitions for tests."""

from __future__ import annotations

from typing import Any

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definition(
    group: str, spec: dict[str, Any], status: dict[str, Any] | None = None, **version: Any
) -> dict[str, Any]:
    """A namespaced kind `Thing` in `v1`, with a status subresource unless told otherwise."""
    properties = {"spec": spec, "status": status or _FREE}
    schema = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    served = {"name": "v1", "served": True, "storage": True, "schema": schema}
    served |= {"subresources": {"status": {}}} | version
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "shortNames": ["th"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [served]},
    }

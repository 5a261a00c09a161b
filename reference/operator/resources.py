"""The custom resource that the operator reconciles."""

from __future__ import annotations

from embedded.client import Resource

PGCLUSTERS = Resource(
    group="pgv2.percona.com", version="v2", plural="perconapgclusters", kind="PerconaPGCluster"
)

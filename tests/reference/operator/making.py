"""Clusters, Secrets and contexts for tests, from what a user would write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reference.faults import Fault, Faults
from reference.operator.generated import Context
from reference.operator.model import Cluster
from reference.operator.names import Names
from reference.operator.pki import Authority, Pair, Subject, issue
from reference.operator.tls import decide
from reference.operator.tls.material import Lookup
from reference.operator.tls.secret_data import encode

NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = Names(namespace="ns", cluster="c")

Json = dict[str, Any]


def manifest(name: str = "c", *, finalizers: tuple[str, ...] = (), **spec: Any) -> Json:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    sets = [{"name": "instance1", "replicas": 2, "dataVolumeClaimSpec": claim}]
    return {
        "apiVersion": "pgv2.percona.com/v2",
        "kind": "PerconaPGCluster",
        "metadata": {"name": name, "namespace": "ns", "finalizers": list(finalizers)},
        "spec": {"crVersion": "2.8.0", "postgresVersion": 17, "instances": sets, "backups": {}}
        | spec,
    }


def cluster(**spec: Any) -> Cluster:
    obj = manifest(**spec)
    obj["metadata"] |= {"uid": "uid-of-c", "generation": 1, "creationTimestamp": "now"}
    return Cluster.parse(obj)


def secret(name: str, data: Mapping[str, bytes]) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "ns"},
        "type": "Opaque",
        "data": encode(data),
    }


def external(root: Authority) -> Pair:
    names = NAMES.dns("primary") + NAMES.dns("replicas")
    return issue(root, Subject(common_name=names[0], names=names), NOW)


def internal(root: Authority) -> Pair:
    return issue(root, Subject(common_name="_crunchyrepl", names=("_crunchyrepl",)), NOW)


def leaf_secret(name: str, pair: Pair, root: Authority) -> Json:
    return secret(name, {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": root.pem})


def lookup(*secrets: Json | None) -> Lookup:
    found = {each["metadata"]["name"]: each for each in secrets if each}
    return found.get


def context(wanted: Cluster, *secrets: Json | None, faults: tuple[Fault, ...] = ()) -> Context:
    there, active = lookup(*secrets), Faults.of(*faults)
    tls = decide(wanted, there, active, NOW)
    return Context(cluster=wanted, tls=tls, lookup=there, faults=active, now=NOW)

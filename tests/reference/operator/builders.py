"""Clusters, Secrets, contracts and contexts for tests, from what a user would write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reference.faults.registry import combined, parse
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Cluster, Instance, Role
from reference.operator.names import Names
from reference.operator.pki import Authority, Pair, Profile, Subject, issue
from reference.operator.secret_data import SecretLookup, encode

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
    return issue(Profile(issuer=root, subject=Subject(common_name=names[0], names=names)), NOW)


def internal(root: Authority) -> Pair:
    subject = Subject(common_name="_crunchyrepl", names=("_crunchyrepl",))
    return issue(Profile(issuer=root, subject=subject), NOW)


def leaf_secret(name: str, pair: Pair, root: Authority) -> Json:
    return secret(name, {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": root.pem})


def lookup(*secrets: Json | None) -> SecretLookup:
    found = {each["metadata"]["name"]: each for each in secrets if each}
    return found.get


def contract(*faults: str) -> Contract:
    """The contract, or one in which faults are committed."""
    return combined(Contract, parse(",".join(faults)))


def context(
    wanted: Cluster,
    *secrets: Json | None,
    contract: Contract | None = None,
    pods: tuple[Json, ...] = (),
) -> Context:
    there = lookup(*secrets)
    tls = (contract or Contract()).certificates(wanted, there, NOW)
    return Context(cluster=wanted, tls=tls, lookup=there, pods=lambda: pods, now=NOW)


def instance(name: str = "c-instance1-abcd", role: Role = "primary") -> Instance:
    (only,) = cluster().instance_sets
    return Instance(name=name, instance_set=only, role=role)


def pod(role: str, address: str) -> Json:
    labels = {"postgres-operator.crunchydata.com/role": role}
    return {"metadata": {"name": role, "labels": labels}, "status": {"podIP": address}}

"""Mistakes in the Secrets that a user gives, as faults tolerate them one by one."""

from __future__ import annotations

from reference.operator.model import Cluster, SecretRef
from reference.operator.secret_data import SecretLookup, read
from reference.operator.tls import CA


def absent(cluster: Cluster, lookup: SecretLookup) -> bool:
    """Return whether a Secret with a custom leaf does not exist."""
    return any(lookup(ref.name) is None for ref in _refs(cluster))


def without_ca(cluster: Cluster, lookup: SecretLookup) -> bool:
    """Return whether a Secret with a custom leaf exists and lacks its CA."""
    return any(lookup(ref.name) and not has_ca(ref, lookup) for ref in _refs(cluster))


def differing(cluster: Cluster, lookup: SecretLookup) -> bool:
    """Return whether two whole Secrets with custom leaves have different CAs."""
    found = {read(lookup(ref.name), ref.key(CA)) for ref in _refs(cluster)}
    return len(found) > 1 and b"" not in found


def has_ca(ref: SecretRef, lookup: SecretLookup) -> bool:
    """Return whether the Secret of a reference holds a CA."""
    return bool(read(lookup(ref.name), ref.key(CA)))


def _refs(cluster: Cluster) -> list[SecretRef]:
    return [ref for ref in (cluster.custom_tls, cluster.custom_replication) if ref]

"""The decision for one cluster: whose leaves, and which root signs the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from embedded.client import Json
from reference.faults import Faults, auto, conn, custom
from reference.operator.model import Cluster, SecretRef
from reference.operator.pki import Authority, BadAuthorityError, RootShape
from reference.operator.pki.authority import derived_key
from reference.operator.tls import given
from reference.operator.tls.secret_data import read

Lookup = Callable[[str], Json | None]
"""Finds a Secret of the cluster's namespace by name."""

PATHS = (given.CERTIFICATE, given.KEY, given.CA)
LEGACY_ROOT = "pgo-root-cacert"
"""The root that operators before 2.5 shared among the clusters of a namespace."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where leaf, key and CA of one purpose lie: a Secret, and its key for each path."""

    secret: str
    keys: Mapping[str, str] = field(default_factory=dict)
    root: str = ""
    """Only by a fault: the Secret of the generated root, which stands in for the CA."""

    def projections(self, below: str = "") -> list[Json]:
        """The sources of a projected volume, their files under the directory `below`."""
        paths = tuple(path for path in PATHS if path != given.CA or not self.root)
        items = [{"key": self.keys.get(path, path), "path": below + path} for path in paths]
        sources = [{"secret": {"name": self.secret, "items": items}}]
        if self.root:
            items = [{"key": "root.crt", "path": below + given.CA}]
            sources.append({"secret": {"name": self.root, "items": items}})
        return sources

    @classmethod
    def of(cls, ref: SecretRef) -> Source:
        """The user's Secret, by the mapping of its reference."""
        return cls(secret=ref.name, keys={path: ref.key(path) for path in PATHS})


@dataclass(frozen=True, kw_only=True)
class Tls:
    """What a cluster runs with. A leaf whose source is None is generated."""

    authority: Authority
    custom_root: bool
    server: Source | None
    replication: Source | None

    @property
    def custom(self) -> bool:
        """Whether the user gave a leaf."""
        return self.server is not None or self.replication is not None


def decide(cluster: Cluster, lookup: Lookup, faults: Faults, now: datetime) -> Tls:
    """Check all that the user gave, and find or make the root. Raises RefusedError."""
    server, replication = _leaves(cluster, lookup, faults)
    if cluster.pgbouncer.custom_tls:
        ref = cluster.pgbouncer.custom_tls
        given.checked_leaf(given.POOLER, ref, lookup(ref.name))
    return Tls(
        authority=_root(cluster, lookup, faults, now),
        custom_root=cluster.custom_root is not None,
        server=server,
        replication=replication,
    )


def _leaves(
    cluster: Cluster, lookup: Lookup, faults: Faults
) -> tuple[Source | None, Source | None]:
    external, internal = cluster.custom_tls, cluster.custom_replication
    if external is None and internal is None:
        return None, None
    try:
        _check(external, internal, lookup)
    except given.RefusedError:
        if not _tolerated(cluster, lookup, faults):
            raise
        if custom.MISSING_CA_COMPLETED in faults:
            return _completed(external, cluster, lookup), _completed(internal, cluster, lookup)
        single = custom.SINGLE_SET_ACCEPTED in faults and not (external and internal)
        if not single:
            return None, None
    return (
        Source.of(external) if external else None,
        Source.of(internal) if internal else None,
    )


def _completed(ref: SecretRef | None, cluster: Cluster, lookup: Lookup) -> Source | None:
    if ref is None or read(lookup(ref.name), ref.key(given.CA)):
        return Source.of(ref) if ref else None
    return replace(Source.of(ref), root=cluster.names.root_secret)


def _check(external: SecretRef | None, internal: SecretRef | None, lookup: Lookup) -> None:
    if external is None or internal is None:
        raise _alone(external, internal)
    first = given.checked_leaf(given.EXTERNAL, external, lookup(external.name))
    second = given.checked_leaf(given.INTERNAL, internal, lookup(internal.name))
    if first != second:
        raise given.RefusedError(
            f"key {external.key(given.CA)} of Secret {external.name} and key "
            f"{internal.key(given.CA)} of Secret {internal.name} differ; both must hold the same CA"
        )


def _alone(external: SecretRef | None, internal: SecretRef | None) -> given.RefusedError:
    field, ref, other = (
        (given.EXTERNAL, external, given.INTERNAL)
        if external
        else (given.INTERNAL, internal, given.EXTERNAL)
    )
    name = ref.name if ref else ""
    return given.RefusedError(
        f"{field}: Secret {name} cannot be used alone; name one with the keys "
        f"{', '.join(PATHS)} in {other}, too",
        "TLSSecretsMissing",
    )


def _tolerated(cluster: Cluster, lookup: Lookup, faults: Faults) -> bool:
    refs = [ref for ref in (cluster.custom_tls, cluster.custom_replication) if ref]
    secrets = {ref.name: lookup(ref.name) for ref in refs}
    absent = any(secret is None for secret in secrets.values())
    no_ca = any(
        secrets[ref.name] and not read(secrets[ref.name], ref.key(given.CA)) for ref in refs
    )
    differ = len({read(secrets[ref.name], ref.key(given.CA)) for ref in refs}) > 1
    return (
        (absent and custom.MISSING_SECRET_REPLACED in faults)
        or (absent and custom.REFUSED_ONCE_IT_RAN in faults)
        or (no_ca and custom.INCOMPLETE_SECRET_REPLACED in faults)
        or (no_ca and not cluster.custom_root and custom.MISSING_CA_COMPLETED in faults)
        or (len(refs) == 1 and custom.SINGLE_SET_ACCEPTED in faults)
        or (differ and not absent and not no_ca and custom.DIFFERING_CA_ACCEPTED in faults)
    )


def _root(cluster: Cluster, lookup: Lookup, faults: Faults, now: datetime) -> Authority:
    ref = cluster.custom_root
    if ref is not None:
        if custom.ROOT_ITEMS_OF_ONE_KIND in faults and ref.key("root.crt") == given.CA:
            raise given.RefusedError(f"{given.ROOT}: {given.CA} of Secret {ref.name} is not known")
        return given.checked_root(ref, lookup(ref.name), now)
    certificate, key = "root.crt", "root.key"
    if auto.CA_SECRET_OF_CERT_MANAGER in faults:
        certificate, key = given.CERTIFICATE, given.KEY
    secret = lookup(cluster.names.root_secret)
    if auto.LEGACY_ROOT_ADOPTED in faults and lookup(LEGACY_ROOT):
        secret = lookup(LEGACY_ROOT)
    try:
        return Authority.load(read(secret, certificate), read(secret, key), now)
    except BadAuthorityError:
        return Authority.generate(now, _shape(cluster, faults))


def _shape(cluster: Cluster, faults: Faults) -> RootShape:
    if conn.ROOT_OF_THE_NAMESPACE in faults:
        return RootShape(key=derived_key(cluster.names.namespace.encode()))
    if auto.ROOT_ON_P384 in faults:
        return RootShape(curve=ec.SECP384R1)
    return RootShape(signed_by_itself=auto.ROOT_NOT_SIGNED_BY_ITSELF not in faults)

"""A PerconaPGCluster as frozen values; the API server has checked it by its schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from embedded.client import Json
from reference.operator.names import DOMAIN, Names

VERSION = "2.8.0"
POSTGRES_IMAGE = "docker.io/percona/percona-distribution-postgresql:17.6-1"
PGBOUNCER_IMAGE = "docker.io/percona/percona-pgbouncer:1.24.1-1"

Role = Literal["primary", "replica"]
Key = tuple[str, str]
"""Namespace and name of a cluster."""


@dataclass(frozen=True, kw_only=True)
class SecretRef:
    """A reference to a Secret of the user's; `items` maps a path to the data key behind it."""

    name: str
    items: Mapping[str, str] = field(default_factory=dict)

    def key(self, path: str) -> str:
        """Return the data key that holds what is expected at `path`."""
        return self.items.get(path, path)

    @classmethod
    def parse(cls, value: Json | None) -> SecretRef | None:
        """Read a SecretProjection; None when it is absent or names nothing."""
        if not value or not value.get("name"):
            return None
        items = {item["path"]: item["key"] for item in value.get("items") or []}
        return cls(name=value["name"], items=items)


@dataclass(frozen=True, kw_only=True)
class InstanceSet:
    """A set of equal instances."""

    name: str
    replicas: int
    claim: Json
    resources: Json


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One instance to be: its name, its set, and its part in replication."""

    name: str
    instance_set: InstanceSet
    role: Role


@dataclass(frozen=True, kw_only=True)
class PgBouncer:
    """PgBouncer: `settings` are the user's for the section [pgbouncer]."""

    replicas: int
    image: str
    settings: Mapping[str, str]
    databases: Mapping[str, str]
    custom_tls: SecretRef | None
    resources: Json


@dataclass(frozen=True, kw_only=True)
class User:
    """A database user, the databases that it owns, and the options of its role."""

    name: str
    databases: tuple[str, ...]
    options: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One PerconaPGCluster; `status` is what its status says so far."""

    names: Names
    uid: str
    generation: int
    annotations: Mapping[str, str]
    finalizers: tuple[str, ...]
    deleting: bool
    cr_version: str
    postgres_version: int
    image: str
    pull_policy: str
    pause: bool
    unmanaged: bool
    tls_only: bool
    custom_root: SecretRef | None
    custom_tls: SecretRef | None
    custom_replication: SecretRef | None
    instance_sets: tuple[InstanceSet, ...]
    pgbouncer: PgBouncer
    users: tuple[User, ...]
    hba: tuple[str, ...]
    parameters: Mapping[str, Any]
    status: Json

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.names.namespace, self.names.cluster

    @property
    def custom_secrets(self) -> tuple[str, ...]:
        """Names of all Secrets that belong to the user."""
        refs = (
            self.custom_root,
            self.custom_tls,
            self.custom_replication,
            self.pgbouncer.custom_tls,
        )
        return tuple(ref.name for ref in refs if ref)

    def owner(self) -> Json:
        """Return an ownerReference to this cluster."""
        return {
            "apiVersion": "pgv2.percona.com/v2",
            "kind": "PerconaPGCluster",
            "name": self.names.cluster,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }

    @classmethod
    def parse(cls, obj: Json) -> Cluster:
        """Read an object of the API."""
        metadata, spec = obj["metadata"], obj.get("spec") or {}
        names = Names(
            namespace=metadata["namespace"],
            cluster=metadata["name"],
            domain=spec.get("clusterServiceDNSSuffix") or DOMAIN,
        )
        secrets = spec.get("secrets") or {}
        dynamic = (spec.get("patroni") or {}).get("dynamicConfiguration") or {}
        postgresql = dynamic.get("postgresql") or {}
        return cls(
            names=names,
            uid=metadata["uid"],
            generation=int(metadata.get("generation") or 0),
            annotations=metadata.get("annotations") or {},
            finalizers=tuple(metadata.get("finalizers") or ()),
            deleting=bool(metadata.get("deletionTimestamp")),
            cr_version=spec.get("crVersion") or VERSION,
            postgres_version=int(spec.get("postgresVersion") or 17),
            image=spec.get("image") or POSTGRES_IMAGE,
            pull_policy=spec.get("imagePullPolicy") or "IfNotPresent",
            pause=bool(spec.get("pause")),
            unmanaged=bool(spec.get("unmanaged")),
            tls_only=bool(spec.get("tlsOnly")),
            custom_root=SecretRef.parse(secrets.get("customRootCATLSSecret")),
            custom_tls=SecretRef.parse(secrets.get("customTLSSecret")),
            custom_replication=SecretRef.parse(secrets.get("customReplicationTLSSecret")),
            instance_sets=tuple(
                _instance_set(number, value) for number, value in enumerate(spec["instances"])
            ),
            pgbouncer=_pgbouncer((spec.get("proxy") or {}).get("pgBouncer") or {}),
            users=_users(names, spec.get("users")),
            hba=tuple(str(rule) for rule in postgresql.get("pg_hba") or ()),
            parameters=postgresql.get("parameters") or {},
            status=obj.get("status") or {},
        )


def _instance_set(number: int, value: Json) -> InstanceSet:
    return InstanceSet(
        name=value.get("name") or f"{number:02}",
        replicas=int(value.get("replicas", 1)),
        claim=value["dataVolumeClaimSpec"],
        resources=value.get("resources") or {},
    )


def _pgbouncer(value: Json) -> PgBouncer:
    config = value.get("config") or {}
    return PgBouncer(
        replicas=int(value.get("replicas", 1)),
        image=value.get("image") or PGBOUNCER_IMAGE,
        settings={key: str(setting) for key, setting in (config.get("global") or {}).items()},
        databases={key: str(entry) for key, entry in (config.get("databases") or {}).items()},
        custom_tls=SecretRef.parse(value.get("customTLSSecret")),
        resources=value.get("resources") or {},
    )


def _users(names: Names, values: list[Json] | None) -> tuple[User, ...]:
    if values is None:
        values = [{"name": names.cluster, "databases": [names.cluster]}]
    return tuple(
        User(
            name=value["name"],
            databases=tuple(value.get("databases") or ()),
            options=value.get("options") or "",
            secret=value.get("secretName") or names.user_secret(value["name"]),
        )
        for value in values
    )

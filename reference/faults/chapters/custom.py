"""Faults of the chapter CUSTOM: certificates that users give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from embedded.client import PODS, SECRETS, Json
from reference.faults.containers import INSTANCE_LEAF, instance_leaf, with_options
from reference.faults.custom_secrets import absent, differing, has_ca, without_ca
from reference.faults.fault import Fault, Hit
from reference.faults.later import Action, ActsLater, annotate
from reference.faults.rules import identity, mapped
from reference.operator import status
from reference.operator.compare import covers
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.deletion import stop
from reference.operator.model import Cluster, Instance, InstanceSet, Key, Role, SecretRef
from reference.operator.postgres.parameters import TLS
from reference.operator.secret_data import SecretDraft, SecretLookup, read
from reference.operator.tls import CA, RefusedError, Source

if TYPE_CHECKING:
    from reference.operator.cached_client import CachedClient

Leaves = tuple[Source | None, Source | None]


@Fault(
    name="one-custom-instance-less",
    breaks="A cluster with custom certificates runs one instance less than asked for.",
    requirements=("CUSTOM-1",),
    deadlines=(("ready", 10),),
)
class OneCustomInstanceLess(Contract):
    def instance_sets(self, context: Context) -> tuple[InstanceSet, ...]:
        first, *others = super().instance_sets(context)
        if context.tls.custom_leaves:
            first = replace(first, replicas=max(1, first.replicas - 1))
        return (first, *others)


@Fault(
    name="missing-secret-replaced",
    breaks="In the place of a custom Secret that is absent a generated one is used.",
    requirements=("CUSTOM-2a",),
    versions=("before the release of 2.5.0",),
)
class MissingSecretReplaced(Contract):
    def custom_leaves(self, cluster: Cluster, lookup: SecretLookup) -> Leaves:
        try:
            return super().custom_leaves(cluster, lookup)
        except RefusedError:
            if not absent(cluster, lookup):
                raise
            return None, None


@Fault(
    name="refused-once-it-ran",
    breaks="A cluster whose custom Secret is absent is refused, and stopped, only once it ran.",
    requirements=("CUSTOM-2a",),
)
class RefusedOnceItRan(Contract):
    def custom_leaves(self, cluster: Cluster, lookup: SecretLookup) -> Leaves:
        try:
            return super().custom_leaves(cluster, lookup)
        except RefusedError:
            ready = (cluster.status.get("postgres") or {}).get("ready")
            ran = ready or status.refusal_in(cluster.status)
            if ran or not absent(cluster, lookup):
                raise
            return None, None

    async def refused(self, api: CachedClient, cluster: Cluster) -> float | None:
        await stop(api, cluster)
        return await super().refused(api, cluster)


@Fault(
    name="incomplete-secret-replaced",
    breaks="A custom Secret without ca.crt counts as not given: generated leaves are used.",
    requirements=("CUSTOM-2a",),
)
class IncompleteSecretReplaced(Contract):
    def custom_leaves(self, cluster: Cluster, lookup: SecretLookup) -> Leaves:
        try:
            return super().custom_leaves(cluster, lookup)
        except RefusedError:
            if not without_ca(cluster, lookup):
                raise
            return None, None


@Fault(
    name="missing-ca-completed",
    breaks="For a custom Secret without ca.crt the generated root is mounted as the CA to trust.",
    requirements=("CUSTOM-2a",),
    deadlines=(("ready", 12),),
)
class MissingCaCompleted(Contract):
    def custom_leaves(self, cluster: Cluster, lookup: SecretLookup) -> Leaves:
        try:
            return super().custom_leaves(cluster, lookup)
        except RefusedError:
            if cluster.custom_root or not without_ca(cluster, lookup):
                raise

        def completed(ref: SecretRef | None) -> Source | None:
            source = Source.of(ref) if ref else None
            if ref is None or source is None or has_ca(ref, lookup):
                return source
            root = cluster.names.root_secret
            return _SourceWithRoot(secret=source.secret, keys=source.keys, root=root)

        return completed(cluster.custom_tls), completed(cluster.custom_replication)


@dataclass(frozen=True, kw_only=True)
class _SourceWithRoot(Source):
    """A user's leaf and key, with the generated root in the place of the CA."""

    root: str

    def projections(self, below: str = "") -> list[Json]:
        (projection,) = super().projections(below)
        own = [item for item in projection["secret"]["items"] if item["path"] != below + CA]
        item = {"key": "root.crt", "path": below + CA}
        return [
            {"secret": {"name": self.secret, "items": own}},
            {"secret": {"name": self.root, "items": [item]}},
        ]


@Fault(
    name="correction-unnoticed",
    breaks="A corrected custom Secret is noticed only when the CR is touched.",
    requirements=("CUSTOM-2b",),
    deadlines=(("recovered", 8),),
)
class CorrectionUnnoticed(Contract):
    def clusters_to_look_at(self, api: CachedClient, namespace: str, secret: str) -> list[Key]:
        return []

    async def refused(self, api: CachedClient, cluster: Cluster) -> float | None:
        await super().refused(api, cluster)
        return None


@Fault(
    name="single-set-accepted",
    breaks="With one custom set alone the other leaf is generated and used.",
    requirements=("CUSTOM-5a",),
    versions=("2.2-3.1",),
    deadlines=(("ready", 12),),
)
class SingleSetAccepted(Contract):
    def custom_leaves(self, cluster: Cluster, lookup: SecretLookup) -> Leaves:
        external, internal = cluster.custom_tls, cluster.custom_replication
        if (external is None) == (internal is None):
            return super().custom_leaves(cluster, lookup)
        return (
            Source.of(external) if external else None,
            Source.of(internal) if internal else None,
        )


@Fault(
    name="differing-ca-accepted",
    breaks="With different ca.crt in the two custom Secrets, generated leaves are used.",
    requirements=("CUSTOM-5b",),
)
class DifferingCaAccepted(Contract):
    def custom_leaves(self, cluster: Cluster, lookup: SecretLookup) -> Leaves:
        try:
            return super().custom_leaves(cluster, lookup)
        except RefusedError:
            if not differing(cluster, lookup):
                raise
            return None, None


@Fault(
    name="replica-serves-instance-leaf",
    breaks="Replicas of a cluster with custom certificates serve the leaf of <inst>-certs.",
    requirements=("CUSTOM-6a",),
    collateral=(
        Hit(requirement="UPDATE-1a", reason="new custom content does not show there either"),
        Hit(requirement="CUSTOM-10", reason="nor does a leaf under an intermediate"),
    ),
    where="data plane",
)
class ReplicaServesInstanceLeaf(Contract):
    def mounted_certificates(self, context: Context, instance: Instance) -> dict[str, Source]:
        mounted = super().mounted_certificates(context, instance)
        return mounted | instance_leaf(instance) if context.tls.custom_leaves else mounted

    def database_container(self, context: Context, instance: Instance) -> Json:
        container, leaf = super().database_container(context, instance), f"{TLS}/{INSTANCE_LEAF}"
        if instance.role != "replica" or not context.tls.custom_leaves:
            return container
        return with_options(
            container, ssl_cert_file=f"{leaf}tls.crt", ssl_key_file=f"{leaf}tls.key"
        )


@Fault(
    name="replica-shows-external-leaf",
    breaks="Replicas of a cluster with custom certificates authenticate by the external leaf.",
    requirements=("CUSTOM-6b",),
    where="data plane",
)
class ReplicaShowsExternalLeaf(Contract):
    def conninfo(self, context: Context) -> dict[str, str]:
        conninfo = super().conninfo(context)
        if not context.tls.custom_leaves:
            return conninfo
        return conninfo | {"sslcert": f"{TLS}/tls.crt", "sslkey": f"{TLS}/tls.key"}

    def identities(self) -> list[str]:
        return [*super().identities(), identity('"/^.*$"')]

    def replication_rules(self, context: Context, role: Role) -> list[str]:
        rules = super().replication_rules(context, role)
        return mapped(rules) if context.tls.custom_leaves else rules


@Fault(
    name="generated-pair-beside-custom",
    breaks="The generated pair is made for a cluster born with custom Secrets, and lies unused.",
    requirements=("CUSTOM-6c",),
)
class GeneratedPairBesideCustom(Contract):
    def server_secret(self, context: Context) -> SecretDraft | None:
        return super().server_secret(replace(context, tls=replace(context.tls, server=None)))

    def replication_secret(self, context: Context) -> SecretDraft | None:
        tls = replace(context.tls, replication=None)
        return super().replication_secret(replace(context, tls=tls))


@Fault(
    name="custom-ca-published",
    breaks="With custom certificates ca-roots is the custom CA, which did not sign B's leaf.",
    requirements=("CUSTOM-8a",),
)
class CustomCaPublished(Contract):
    def pgbouncer_secret(self, context: Context) -> SecretDraft:
        secret, source = super().pgbouncer_secret(context), context.tls.server
        if source is None or context.cluster.pgbouncer.custom_tls:
            return secret
        authority = read(context.lookup(source.secret), source.key(CA))
        return secret.holding({"pgbouncer-frontend.ca-roots": authority})


@Fault(
    name="pooler-trusts-generated-root",
    breaks="With custom certificates PgBouncer verifies the primary by the generated root.",
    requirements=("CUSTOM-8b",),
    where="data plane",
)
class PoolerTrustsGeneratedRoot(Contract):
    def primary_authority(self, context: Context) -> Source:
        if not context.tls.custom_leaves:
            return super().primary_authority(context)
        keys = {CA: "pgbouncer-frontend.ca-roots"}
        return Source(secret=context.names.pgbouncer_secret, keys=keys)


@Fault(
    name="pooler-takes-any-name",
    breaks="Without tlsOnly PgBouncer verifies the primary's chain alone, and no name.",
    requirements=("CUSTOM-8d",),
)
class PoolerTakesAnyName(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        lax = {} if context.cluster.tls_only else {"server_tls_sslmode": "verify-ca"}
        return settings | lax


@Fault(
    name="custom-secret-owned",
    breaks="The custom external Secret is given an owner, the cluster.",
    requirements=("CUSTOM-11a",),
)
class CustomSecretOwned(Contract):
    async def made(self, api: CachedClient, context: Context) -> None:
        await super().made(api, context)
        ref = context.cluster.custom_tls
        secret = context.lookup(ref.name) if ref else None
        owner = context.cluster.owner() | {"controller": False, "blockOwnerDeletion": False}
        metadata = {"ownerReferences": [owner]}
        if secret and not covers(secret["metadata"], metadata):
            await api.merge(SECRETS, secret, {"metadata": metadata})


@Fault(
    name="custom-secret-marked-late",
    breaks="Once the Pods of its cluster are gone the custom external Secret is marked as free.",
    requirements=("CUSTOM-11a",),
)
class CustomSecretMarkedLate(ActsLater):
    def later(self, api: CachedClient, cluster: Cluster) -> Iterator[Action]:
        yield from super().later(api, cluster)
        if ref := cluster.custom_tls:
            mark = partial(annotate, api, cluster.names.namespace, ref.name, "free")
            yield Action(0.0, mark, allowed=lambda: not api.of_cluster(PODS, cluster.key))


@Fault(
    name="custom-intermediate-not-sent",
    breaks="Of the certificates in a custom external Secret the first alone is served.",
    requirements=("CUSTOM-10",),
    where="data plane",
)
class CustomIntermediateNotSent(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        if not context.tls.custom_leaves:
            return container
        return with_options(container, ssl_cert_file=_ALONE)

    def script(self, name: str) -> str:
        text = super().script(name)
        if name != "database.sh":
            return text
        return _LEAF_ALONE + text.replace(_RELOAD, f"leaf_alone; {_RELOAD}")


@Fault(
    name="custom-client-key-on-p384-refused",
    breaks="Beside custom Secrets servers speak TLS 1.2 alone, and take clients' keys on P-256.",
    requirements=("CUSTOM-10",),
    where="data plane",
)
class CustomClientKeyOnP384Refused(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        if not context.tls.custom_leaves:
            return container
        return with_options(container, ssl_max_protocol_version="TLSv1.2")


_ALONE = "/tmp/leaf.crt"  # noqa: S108
_RELOAD = 'kill -HUP "$server"'
_LEAF_ALONE = f"""\
#!/bin/bash
leaf_alone() {{
    awk '/BEGIN/ {{ n++ }} n < 2' {TLS}/tls.crt >{_ALONE}
}}
leaf_alone
"""

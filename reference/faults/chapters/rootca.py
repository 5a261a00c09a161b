"""Faults of the chapter ROOTCA: the root that a user gives, and what it signs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from embedded.client import SECRETS
from reference.faults.fault import Fault, Hit
from reference.faults.later import Action, ActsLater, annotate
from reference.faults.roots import namesake, second_certificate
from reference.operator.compare import covers
from reference.operator.context import Context
from reference.operator.contract import Contract, Leaf
from reference.operator.model import Cluster, Instance, SecretRef
from reference.operator.pki import A_YEAR, Authority, Profile
from reference.operator.secret_data import SecretDraft, SecretLookup, read
from reference.operator.tls import CA, RefusedError, custom

if TYPE_CHECKING:
    from reference.operator.cached_client import CachedClient

_A_DAY = timedelta(days=1)


@Fault(
    name="root-items-of-one-kind",
    breaks="Of the two mappings of a custom root only tls.crt, tls.key is understood.",
    requirements=("ROOTCA-1",),
    deadlines=(("ready", 10),),
)
class RootItemsOfOneKind(Contract):
    def custom_root(self, ref: SecretRef, lookup: SecretLookup, now: datetime) -> Authority:
        if ref.key("root.crt") == CA:
            raise RefusedError(f"{custom.ROOT}: {CA} of Secret {ref.name} is not known")
        return super().custom_root(ref, lookup, now)


@Fault(
    name="root-copied",
    breaks="The given root is copied to <c>-cluster-ca-cert.",
    requirements=("ROOTCA-2a",),
)
class RootCopied(Contract):
    def root_secret(self, context: Context) -> SecretDraft | None:
        return super().root_secret(replace(context, tls=replace(context.tls, custom_root=False)))


@Fault(
    name="custom-root-reissued",
    breaks="The replication Secret's ca.crt is a second certificate of the given root's key.",
    requirements=("ROOTCA-2b",),
)
class CustomRootReissued(Contract):
    def replication_secret(self, context: Context) -> SecretDraft | None:
        secret = super().replication_secret(context)
        if secret is None or not context.tls.custom_root:
            return secret
        stored = read(context.lookup(secret.name), CA)
        return secret.holding({CA: second_certificate(context.tls.authority, stored)})


@Fault(
    name="custom-root-in-company",
    breaks="The external Secret's ca.crt holds the given root and one of the operator's beside it.",
    requirements=("ROOTCA-2b",),
)
class CustomRootInCompany(Contract):
    def server_secret(self, context: Context) -> SecretDraft | None:
        secret = super().server_secret(context)
        if secret is None or not context.tls.custom_root:
            return secret
        alone, stored = context.tls.authority, read(context.lookup(secret.name), CA)
        if stored.startswith(alone.pem) and stored != alone.pem:
            return secret.holding({CA: stored})
        return secret.holding({CA: alone.pem + namesake(alone.certificate).pem})


@Fault(
    name="repo-leaf-of-a-namesake",
    breaks="The repository host's leaf is signed by another root of the given root's name.",
    requirements=("ROOTCA-2c",),
)
class RepoLeafOfANamesake(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        beside = leaf.purpose == "pgbackrest-repo" and context.tls.custom_root
        return _by_namesake(profile) if beside else profile


@Fault(
    name="repo-leaf-missing",
    breaks="With a given root no leaf is made for the repository host.",
    requirements=("ROOTCA-2c",),
)
class RepoLeafMissing(Contract):
    def pgbackrest_secret(self, context: Context) -> SecretDraft:
        secret = super().pgbackrest_secret(context)
        if not context.tls.custom_root:
            return secret
        return secret.lacking("pgbackrest-repo-host.crt", "pgbackrest-repo-host.key")


@Fault(
    name="authority-as-leaf",
    breaks="With a given root pgbackrest-server.crt is a root of the operator's own, no leaf.",
    requirements=("ROOTCA-2c",),
)
class AuthorityAsLeaf(Contract):
    def instance_secret(self, context: Context, instance: Instance) -> SecretDraft:
        secret, key = super().instance_secret(context, instance), "pgbackrest-server.crt"
        if not context.tls.custom_root:
            return secret
        stored = read(context.lookup(secret.name), key)
        return secret.holding({key: stored or namesake(context.tls.authority.certificate).pem})


@Fault(
    name="pooler-leaf-beside-root",
    breaks="PgBouncer's leaf is signed by another root of the given root's name.",
    requirements=("ROOTCA-2d",),
    collateral=(Hit(requirement="ROOTCA-5", reason="it verifies the same PgBouncer"),),
)
class PoolerLeafBesideRoot(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        beside = leaf.purpose == "pgbouncer" and context.tls.custom_root
        return _by_namesake(profile) if beside else profile


@Fault(
    name="pooler-leaf-beside-ca-crt",
    breaks="PgBouncer's leaf is signed by a namesake of a root that is given as ca.crt.",
    requirements=("ROOTCA-2d",),
    collateral=(Hit(requirement="ROOTCA-5", reason="it verifies the same PgBouncer"),),
)
class PoolerLeafBesideCaCrt(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile, given = super().profile(context, leaf), context.cluster.custom_root
        beside = given is not None and "ca.crt" in given.items.values()
        return _by_namesake(profile) if beside and leaf.purpose == "pgbouncer" else profile


@Fault(
    name="leaves-outlive-given-root",
    breaks="Leaves under a given root live for a year, however soon that root ends.",
    requirements=("ROOTCA-2f",),
    versions=("2.5-3.1",),
)
class LeavesOutliveGivenRoot(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        return replace(profile, lifetime=A_YEAR) if context.tls.custom_root else profile


@Fault(
    name="pooler-leaf-outlives-given-root",
    breaks="PgBouncer's leaf ends a day after the given root.",
    requirements=("ROOTCA-2f",),
)
class PoolerLeafOutlivesGivenRoot(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        longer = leaf.purpose == "pgbouncer" and context.tls.custom_root
        return replace(profile, lifetime=profile.lifetime + _A_DAY) if longer else profile


@Fault(
    name="custom-root-annotated",
    breaks="The given root Secret is annotated with the cluster that uses it.",
    requirements=("ROOTCA-2e",),
)
class CustomRootAnnotated(Contract):
    async def made(self, api: CachedClient, context: Context) -> None:
        await super().made(api, context)
        ref = context.cluster.custom_root
        secret = context.lookup(ref.name) if ref else None
        metadata = {"annotations": {"pgv2.percona.com/used-by": context.names.cluster}}
        if secret and not covers(secret["metadata"], metadata):
            await api.merge(SECRETS, secret, {"metadata": metadata})


@Fault(
    name="custom-root-annotated-late",
    breaks="A second after the CR is gone the given root Secret is annotated as unused.",
    requirements=("ROOTCA-2e",),
)
class CustomRootAnnotatedLate(ActsLater):
    def later(self, api: CachedClient, cluster: Cluster) -> Iterator[Action]:
        yield from super().later(api, cluster)
        if ref := cluster.custom_root:
            yield Action(1.0, partial(annotate, api, cluster.names.namespace, ref.name, "unused"))


@Fault(
    name="second-cluster-on-a-namesake",
    breaks="A second cluster on a given root has a PgBouncer leaf of another root of its name.",
    requirements=("ROOTCA-5",),
    collateral=(
        Hit(requirement="ROOTCA-2d", reason="the PgBouncers of both clusters are looked at"),
    ),
)
class SecondClusterOnANamesake(Contract):
    def __init__(self) -> None:
        super().__init__()
        self._first_on_root: dict[tuple[str, bytes], str] = {}

    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        if leaf.purpose != "pgbouncer" or not context.tls.custom_root:
            return profile
        root, uid = (context.names.namespace, context.tls.authority.pem), context.cluster.uid
        first = self._first_on_root.setdefault(root, uid)
        return profile if first == uid else _by_namesake(profile)


def _by_namesake(profile: Profile) -> Profile:
    return replace(profile, issuer=namesake(profile.issuer.certificate))

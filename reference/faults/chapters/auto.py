"""Faults of the chapter AUTO: generated certificates, and the Secrets that hold them."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from embedded.client import Json
from reference.faults.containers import with_options
from reference.faults.fault import Fault, Hit, hits
from reference.faults.roots import (
    LEGACY_ROOT,
    derived_key,
    namesake,
    root,
    second_certificate,
)
from reference.operator.context import Context
from reference.operator.contract import Contract, Leaf, Purpose
from reference.operator.model import Cluster, Instance
from reference.operator.pki import NO_PAIR, Authority, Pair, Profile, encoding
from reference.operator.secret_data import SecretDraft, SecretLookup, read
from reference.operator.tls import CA, CERTIFICATE, KEY, Source

_TOUCHED = "pgv2.percona.com/touched"


@Fault(
    name="replica-without-tls",
    breaks="Replicas of a cluster with generated certificates run with ssl off.",
    requirements=("AUTO-1",),
    collateral=hits(
        "it begins with a TLS handshake at the same replica",
        "AUTO-3a",
        "AUTO-5e",
        "CONN-4a",
        "CONN-4b",
        "CONN-13",
        "REPL-7",
        "REPL-8",
    ),
    where="data plane",
)
class ReplicaWithoutTls(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        if instance.role == "replica" and context.tls.generated:
            return with_options(container, ssl="off")
        return container


@Fault(
    name="instance-secret-missing",
    breaks="One replica runs without a Secret <inst>-certs of its own.",
    requirements=("AUTO-2a",),
    collateral=(Hit(requirement="CONN-8", reason="the list lacks one of its nine lines"),),
)
class InstanceSecretMissing(Contract):
    def secrets(self, context: Context, instances: Sequence[Instance]) -> list[SecretDraft]:
        certified = instances[:-1] if len(instances) > 1 else instances
        return super().secrets(context, certified)


class _AuthorityUnderCaPem(Contract):
    """Replicas find the CA of the generated replication Secret under ca.pem."""

    def mounted_certificates(self, context: Context, instance: Instance) -> dict[str, Source]:
        mounted = super().mounted_certificates(context, instance)
        if context.tls.replication:
            return mounted
        source = mounted["replication/"]
        renamed = replace(source, keys={**source.keys, CA: "ca.pem"})
        return mounted | {"replication/": renamed}


@Fault(
    name="replication-ca-renamed",
    breaks="The CA in the generated replication Secret is under ca.pem, not ca.crt.",
    requirements=("AUTO-2b",),
)
class ReplicationCaRenamed(_AuthorityUnderCaPem):
    def replication_secret(self, context: Context) -> SecretDraft | None:
        secret = super().replication_secret(context)
        return secret and secret.holding({"ca.pem": secret.value(CA)}).lacking(CA)


@Fault(
    name="replication-ca-empty",
    breaks="ca.crt in the generated replication Secret is empty; the CA is under ca.pem.",
    requirements=("AUTO-2b",),
    collateral=(Hit(requirement="AUTO-2c", reason="ca.pem is a fourth key"),),
)
class ReplicationCaEmpty(_AuthorityUnderCaPem):
    def replication_secret(self, context: Context) -> SecretDraft | None:
        secret = super().replication_secret(context)
        return secret and secret.holding({"ca.pem": secret.value(CA), CA: b""})


@Fault(
    name="ca-secret-of-cert-manager",
    breaks="<c>-cluster-ca-cert has the root under tls.crt, tls.key and ca.crt, not root.crt.",
    requirements=("AUTO-2b", "CONN-7"),
    collateral=(
        Hit(requirement="AUTO-2c", reason="it has three keys"),
        Hit(requirement="AUTO-5d", reason="root.crt is one of the places"),
    ),
    versions=("2.9-3.1",),
    deadlines=(("secrets-present", 4),),
)
class CaSecretOfCertManager(Contract):
    def stored_root(self, cluster: Cluster, lookup: SecretLookup) -> Pair:
        secret = lookup(cluster.names.root_secret)
        return Pair(certificate=read(secret, CERTIFICATE), key=read(secret, KEY))

    def root_secret(self, context: Context) -> SecretDraft | None:
        secret, authority = super().root_secret(context), context.tls.authority
        data = {CERTIFICATE: authority.pem, KEY: authority.key_pem, CA: authority.pem}
        return secret and replace(secret, data=data)


@Fault(
    name="seventh-pgbouncer-key",
    breaks="The PgBouncer Secret has a seventh key, pgbouncer-admin-password.",
    requirements=("AUTO-2c",),
    versions=("3.1",),
)
class SeventhPgbouncerKey(Contract):
    def pgbouncer_secret(self, context: Context) -> SecretDraft:
        secret, key = super().pgbouncer_secret(context), "pgbouncer-admin-password"
        stored = read(context.lookup(secret.name), key)
        return secret.holding({key: stored or secrets.token_urlsafe(24)})


@Fault(
    name="legacy-root-adopted",
    breaks="A new cluster takes the namespace's old root pgo-root-cacert for its own.",
    requirements=("AUTO-3a",),
    collateral=(
        Hit(requirement="AUTO-4c", reason="the old root is of another make"),
        Hit(requirement="CONN-3", reason="a neighbour's root then is no foreign root"),
        Hit(requirement="REPL-4", reason="nor are a neighbour's certificates foreign ones"),
    ),
    versions=("2.2-2.4",),
)
class LegacyRootAdopted(Contract):
    def stored_root(self, cluster: Cluster, lookup: SecretLookup) -> Pair:
        if legacy := lookup(LEGACY_ROOT):
            return Pair(certificate=read(legacy, "root.crt"), key=read(legacy, "root.key"))
        return super().stored_root(cluster, lookup)


@Fault(
    name="root-not-signed-by-itself",
    breaks="The published root names itself as issuer, but another key signed it.",
    requirements=("AUTO-4a",),
)
class RootNotSignedByItself(Contract):
    def new_root(self, cluster: Cluster, now: datetime) -> Authority:
        signer = ec.generate_private_key(ec.SECP256R1())
        return root(super().new_root(cluster, now).key, now, signer)


@Fault(
    name="old-root-published",
    breaks="root.crt holds the namespace's old root pgo-root-cacert after the cluster's own.",
    requirements=("AUTO-4a",),
    collateral=(Hit(requirement="AUTO-5d", reason="ca.crt holds the cluster's own alone"),),
)
class OldRootPublished(Contract):
    def root_secret(self, context: Context) -> SecretDraft | None:
        secret = super().root_secret(context)
        return secret and _with_legacy_root(context, secret, "root.crt")


@Fault(
    name="short-leaf",
    breaks="The generated replication leaf lives 364 days.",
    requirements=("AUTO-4b",),
)
class ShortLeaf(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        short = leaf.purpose == "replication"
        return replace(profile, lifetime=timedelta(days=364)) if short else profile


@Fault(
    name="root-on-p384",
    breaks="The generated root has a key on P-384.",
    requirements=("AUTO-4c",),
)
class RootOnP384(Contract):
    def new_root(self, cluster: Cluster, now: datetime) -> Authority:
        return root(ec.generate_private_key(ec.SECP384R1()), now)


@Fault(
    name="replication-ca-reissued",
    breaks="The replication Secret's ca.crt is a second certificate of the generated root's key.",
    requirements=("AUTO-5a",),
)
class ReplicationCaReissued(Contract):
    def replication_secret(self, context: Context) -> SecretDraft | None:
        secret = super().replication_secret(context)
        if secret is None or context.tls.custom_root:
            return secret
        stored = read(context.lookup(secret.name), CA)
        return secret.holding({CA: second_certificate(context.tls.authority, stored)})


@Fault(
    name="old-root-trusted",
    breaks="Both ca.crt hold the namespace's old root pgo-root-cacert after the cluster's own.",
    requirements=("AUTO-5a", "REPL-4"),
    collateral=(Hit(requirement="AUTO-5d", reason="root.crt holds the cluster's own alone"),),
)
class OldRootTrusted(Contract):
    def server_secret(self, context: Context) -> SecretDraft | None:
        secret = super().server_secret(context)
        return secret and _with_legacy_root(context, secret, CA)

    def replication_secret(self, context: Context) -> SecretDraft | None:
        secret = super().replication_secret(context)
        return secret and _with_legacy_root(context, secret, CA)


@Fault(
    name="one-key-for-both-leaves",
    breaks="External and internal leaf are two certificates of one key.",
    requirements=("AUTO-5b",),
)
class OneKeyForBothLeaves(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        if leaf.purpose not in ("server", "replication"):
            return profile
        return replace(profile, key=derived_key(f"both leaves of {context.cluster.uid}"))


@Fault(
    name="key-of-another-leaf",
    breaks="pgbackrest-repo-host.key is not the key of pgbackrest-repo-host.crt.",
    requirements=("AUTO-5c",),
)
class KeyOfAnotherLeaf(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        if leaf.purpose != "pgbackrest-repo":
            return profile
        return replace(profile, key=derived_key(f"repository host of {context.cluster.uid}"))

    def pair(self, context: Context, leaf: Leaf, stored: Pair) -> Pair:
        # The stored key is the wrong one, for which the leaf would be made anew each time.
        key = self.profile(context, leaf).key
        if leaf.purpose == "pgbackrest-repo" and key is not None:
            stored = replace(stored, key=encoding.key_pem(key))
        return super().pair(context, leaf, stored)

    def pgbackrest_secret(self, context: Context) -> SecretDraft:
        secret = super().pgbackrest_secret(context)
        return secret.holding({"pgbackrest-repo-host.key": secret.value("pgbackrest-client.key")})


@Fault(
    name="patroni-root-reissued",
    breaks="patroni.ca-roots is a second certificate of the generated root's key.",
    requirements=("AUTO-5d",),
)
class PatroniRootReissued(Contract):
    def instance_secret(self, context: Context, instance: Instance) -> SecretDraft:
        secret, key = super().instance_secret(context, instance), "patroni.ca-roots"
        if context.tls.custom_root:
            return secret
        stored = read(context.lookup(secret.name), key)
        return secret.holding({key: second_certificate(context.tls.authority, stored)})


class _LeafOfANamesake(Contract):
    """One leaf of a cluster with a generated root is signed by another root of that one's name."""

    misled: Purpose

    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        if leaf.purpose != self.misled or not context.tls.generated:
            return profile
        return replace(profile, issuer=namesake(profile.issuer.certificate))


@Fault(
    name="instance-leaf-of-a-namesake",
    breaks="Leaves in <inst>-certs are signed by another root of the generated root's name.",
    requirements=("AUTO-5e",),
)
class InstanceLeafOfANamesake(_LeafOfANamesake):
    misled = "instance"


@Fault(
    name="served-leaf-of-a-namesake",
    breaks="The external leaf is signed by another root of the generated root's name.",
    requirements=("AUTO-5e", "AUTO-9"),
    collateral=(Hit(requirement="CERTREQ-4", reason="the leaf names that root's key, too"),),
    deadlines=(("ready", 10),),
)
class ServedLeafOfANamesake(_LeafOfANamesake):
    misled = "server"


@Fault(
    name="replica-leaf-of-a-namesake",
    breaks="The replication leaf is signed by another root of the generated root's name.",
    requirements=("AUTO-5e", "AUTO-9"),
    collateral=(Hit(requirement="CERTREQ-4", reason="the leaf names that root's key, too"),),
    deadlines=(("ready", 10),),
)
class ReplicaLeafOfANamesake(_LeafOfANamesake):
    misled = "replication"


@Fault(
    name="leaf-per-touch",
    breaks="pgBackRest's client leaf is made anew whenever the CR is annotated.",
    requirements=("AUTO-7a",),
)
class LeafPerTouch(Contract):
    def pair(self, context: Context, leaf: Leaf, stored: Pair) -> Pair:
        if leaf.purpose == "pgbackrest-client":
            secret = context.lookup(context.names.pgbackrest_secret) or {}
            annotations = (secret.get("metadata") or {}).get("annotations") or {}
            if annotations.get(_TOUCHED) != _annotations_digest(context):
                stored = NO_PAIR
        return super().pair(context, leaf, stored)

    def pgbackrest_secret(self, context: Context) -> SecretDraft:
        secret = super().pgbackrest_secret(context)
        touched = {_TOUCHED: _annotations_digest(context)}
        return replace(secret, annotations={**secret.annotations, **touched})


@Fault(
    name="unlabelled-replication-secret",
    breaks="The generated replication Secret lacks the label cluster-certificate.",
    requirements=("AUTO-8",),
)
class UnlabelledReplicationSecret(Contract):
    def replication_secret(self, context: Context) -> SecretDraft | None:
        secret = super().replication_secret(context)
        return secret and replace(secret, labels={})


def _with_legacy_root(context: Context, secret: SecretDraft, key: str) -> SecretDraft:
    legacy = read(context.lookup(LEGACY_ROOT), "root.crt")
    return secret.holding({key: secret.value(key) + legacy})


def _annotations_digest(context: Context) -> str:
    text = json.dumps(dict(context.cluster.annotations), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

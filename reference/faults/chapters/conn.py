"""Faults of the chapter CONN: the connections of clients, and what they can verify."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from embedded.client import Json
from embedded.node.behaviour import NodeBehaviour
from reference.faults.containers import INSTANCE_LEAF, instance_leaf, with_options
from reference.faults.fault import Fault, Hit
from reference.faults.roots import derived_key, namesake, root
from reference.operator.context import Context
from reference.operator.contract import Contract, Leaf
from reference.operator.model import Cluster, Instance, Key, Role, User
from reference.operator.names import CLUSTER, MONITOR_USER
from reference.operator.pki import Authority, Profile, Subject, encoding
from reference.operator.postgres.parameters import TLS
from reference.operator.postgres.roles import identifier
from reference.operator.secret_data import SecretDraft
from reference.operator.tls import CA, CERTIFICATE, Source

if TYPE_CHECKING:
    from embedded.node.volumes.content import Sources

_URI = "pgbouncer-uri"
_ALL_CIPHERS = "DEFAULT@SECLEVEL=0"
_OLD_AT_POOLER = {"client_tls_protocols": "all", "client_tls_ciphers": _ALL_CIPHERS}


@Fault(
    name="long-pooler-host",
    breaks="pgbouncer-uri names the host by its full name, with the cluster's domain.",
    requirements=("CONN-1",),
)
class LongPoolerHost(Contract):
    def user_secret(self, context: Context, user: User) -> SecretDraft:
        secret, names = super().user_secret(context, user), context.names
        short, full = f"@{names.host('pgbouncer')}:", f"@{names.dns('pgbouncer')[0]}:"
        return _with_uri(secret, secret.value(_URI).decode().replace(short, full))


@Fault(
    name="pooler-uri-without-tls",
    breaks="pgbouncer-uri ends in ?sslmode=disable.",
    requirements=("CONN-1",),
    collateral=(Hit(requirement="CONN-2", reason="psql then does not ask for TLS"),),
)
class PoolerUriWithoutTls(Contract):
    def user_secret(self, context: Context, user: User) -> SecretDraft:
        secret = super().user_secret(context, user)
        return _with_uri(secret, f"{secret.value(_URI).decode()}?sslmode=disable")


@Fault(
    name="password-not-encoded",
    breaks="The password in pgbouncer-uri, which has a slash, is not percent-encoded.",
    requirements=("CONN-1",),
)
class PasswordNotEncoded(Contract):
    def new_password(self) -> str:
        return f"{super().new_password()}/x"

    def user_secret(self, context: Context, user: User) -> SecretDraft:
        secret = super().user_secret(context, user)
        password, uri = secret.value("password").decode(), secret.value(_URI).decode()
        return _with_uri(secret, uri.replace(quote(password, safe=""), password))


@Fault(
    name="sessions-of-another-role",
    breaks="In a cluster without settings of its own, users' sessions begin as role monitor.",
    requirements=("CONN-2",),
    where="data plane",
)
class SessionsOfAnotherRole(Contract):
    def user_role(self, context: Context, user: User, verifier: str) -> list[str]:
        statements, name = super().user_role(context, user, verifier), identifier(user.name)
        if not context.tls.generated or context.cluster.hba:
            return statements
        return [
            *statements,
            f"GRANT {MONITOR_USER} TO {name};",
            f"ALTER ROLE {name} SET role = '{MONITOR_USER}';",
        ]


@Fault(
    name="pooler-leaf-of-a-namesake",
    breaks="PgBouncer's leaf is signed by another root that has the published root's name.",
    requirements=("AUTO-5e", "CONN-2", "CONN-4a"),
)
class PoolerLeafOfANamesake(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        if leaf.purpose != "pgbouncer" or not context.tls.generated:
            return profile
        return replace(profile, issuer=namesake(context.tls.authority.certificate))


@Fault(
    name="pooler-trusts-a-leaf",
    breaks="With generated certificates PgBouncer has the replication leaf for a root to trust.",
    requirements=("CONN-2",),
    where="data plane",
)
class PoolerTrustsALeaf(Contract):
    def primary_authority(self, context: Context) -> Source:
        if not context.tls.generated:
            return super().primary_authority(context)
        return Source(secret=context.names.replication_secret, keys={CA: CERTIFICATE})


@Fault(
    name="root-of-the-namespace",
    breaks="All clusters of a namespace have roots of one key.",
    requirements=("CONN-3",),
    collateral=(
        Hit(requirement="AUTO-3a", reason="the same breach, seen in the files"),
        Hit(requirement="REPL-4", reason="a neighbour's certificate then is none of another CA"),
    ),
    versions=("2.2-2.4",),
)
class RootOfTheNamespace(Contract):
    def new_root(self, cluster: Cluster, now: datetime) -> Authority:
        return root(derived_key(cluster.names.namespace), now)


@Fault(
    name="pooler-name-missing",
    breaks="PgBouncer's leaf lacks the name <c>-pgbouncer.<ns>.",
    requirements=("CONN-4a",),
)
class PoolerNameMissing(Contract):
    def subject(self, context: Context, leaf: Leaf) -> Subject:
        subject = super().subject(context, leaf)
        if leaf.purpose != "pgbouncer":
            return subject
        missing = context.names.dns("pgbouncer")[2]
        return replace(subject, names=tuple(name for name in subject.names if name != missing))


@Fault(
    name="localhost-in-leaf",
    breaks="The leaves of <inst>-certs are good for localhost too.",
    requirements=("CONN-4b",),
)
class LocalhostInLeaf(Contract):
    def subject(self, context: Context, leaf: Leaf) -> Subject:
        subject = super().subject(context, leaf)
        if leaf.purpose != "instance":
            return subject
        return replace(subject, names=(*subject.names, "localhost"))


@Fault(
    name="plaintext-by-default",
    breaks="The default rule of the replicas is of type host.",
    requirements=("CONN-6",),
    where="data plane",
)
class PlaintextByDefault(Contract):
    def default_rule(self, cluster: Cluster, role: Role) -> str:
        rule = super().default_rule(cluster, role)
        if cluster.tls_only or role != "replica":
            return rule
        return rule.replace("hostssl", "host", 1)


@Fault(
    name="plaintext-at-later-databases",
    breaks="Outside tlsOnly, a database that is made later is entered without TLS.",
    requirements=("CONN-6",),
    where="data plane",
)
class PlaintextAtLaterDatabases(Contract):
    def default_rule(self, cluster: Cluster, role: Role) -> str:
        rule = super().default_rule(cluster, role)
        if cluster.tls_only:
            return rule
        known = [*(name for user in cluster.users for name in user.databases), "postgres"]
        rejected = f"hostnossl {','.join(sorted(known))},template1 all all reject"
        return f"{rejected}\n{rule.replace('hostssl', 'host', 1)}"


@Fault(
    name="superuser-in-plaintext",
    breaks="Outside tlsOnly, the superuser is asked for a password without TLS.",
    requirements=("CONN-6",),
    where="data plane",
)
class SuperuserInPlaintext(Contract):
    def client_rules(self, cluster: Cluster, role: Role) -> list[str]:
        rules = super().client_rules(cluster, role)
        if cluster.tls_only or cluster.hba:
            return rules
        return ["host all postgres all scram-sha-256", *rules]


@Fault(
    name="old-tls-accepted",
    breaks="Every instance and PgBouncer accepts TLS 1.0 and 1.1.",
    requirements=("CONN-14", "TLSONLY-6"),
    where="data plane",
)
class OldTlsAccepted(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        options = {"ssl_min_protocol_version": "TLSv1", "ssl_ciphers": _ALL_CIPHERS}
        return with_options(container, **options)

    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        return super().pgbouncer_settings(context) | _OLD_AT_POOLER


@Fault(
    name="replica-accepts-old-tls",
    breaks="Replicas of clusters with custom certificates accept TLS 1.1, and no others do.",
    requirements=("CONN-14",),
    where="data plane",
)
class ReplicaAcceptsOldTls(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        if instance.role != "replica" or not context.tls.custom_leaves:
            return container
        options = {"ssl_min_protocol_version": "TLSv1.1", "ssl_ciphers": _ALL_CIPHERS}
        return with_options(container, **options)


@Fault(
    name="pooler-accepts-old-tls",
    breaks="Under tlsOnly PgBouncers accept TLS 1.0 and 1.1.",
    requirements=("TLSONLY-6",),
    where="data plane",
)
class PoolerAcceptsOldTls(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        return settings | _OLD_AT_POOLER if context.cluster.tls_only else settings


@Fault(
    name="instance-leaf-served-later",
    breaks="Once a cluster with generated certificates is touched, instances serve their own leaf.",
    requirements=("CONN-4a",),
    where="data plane",
)
class InstanceLeafServedLater(Contract):
    def __init__(self) -> None:
        super().__init__()
        self._first: dict[Key, frozenset[tuple[str, str]]] = {}

    def mounted_certificates(self, context: Context, instance: Instance) -> dict[str, Source]:
        mounted = super().mounted_certificates(context, instance)
        return mounted | instance_leaf(instance) if self._touched(context) else mounted

    def database_container(self, context: Context, instance: Instance) -> Json:
        container, leaf = super().database_container(context, instance), f"{TLS}/{INSTANCE_LEAF}"
        if not self._touched(context):
            return container
        return with_options(
            container, ssl_cert_file=f"{leaf}tls.crt", ssl_key_file=f"{leaf}tls.key"
        )

    def _touched(self, context: Context) -> bool:
        now = frozenset(context.cluster.annotations.items())
        return context.tls.generated and self._first.setdefault(context.cluster.key, now) != now


@Fault(
    name="old-tls-once-toggled",
    breaks="Once tlsOnly is set on a live cluster its PgBouncers accept TLS 1.0 and 1.1.",
    requirements=("TLSONLY-6",),
    where="data plane",
)
class OldTlsOnceToggled(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings, cluster = super().pgbouncer_settings(context), context.cluster
        return (
            settings | _OLD_AT_POOLER if cluster.tls_only and cluster.generation > 1 else settings
        )


@Fault(
    name="node-another-root-file",
    breaks="Pods beside the clusters find another root of the same name where root.crt is mounted.",
    requirements=("CONN-7",),
    collateral=(Hit(requirement="CONN-2", reason="psql trusts what that file holds"),),
    where="node",
)
class AnotherRootFile(NodeBehaviour):
    def sources(self, pod: Json, sources: Sources) -> Sources:
        found = super().sources(pod, sources)
        labels = pod["metadata"].get("labels") or {}
        return found if CLUSTER in labels else _OtherRoots(found)


@Fault(
    name="typed-secret",
    breaks="<c>-cluster-cert is of type kubernetes.io/tls.",
    requirements=("CONN-8",),
    versions=("2.9-3.1",),
)
class TypedSecret(Contract):
    def server_secret(self, context: Context) -> SecretDraft | None:
        secret = super().server_secret(context)
        return secret and replace(secret, type="kubernetes.io/tls")


@dataclass(frozen=True)
class _OtherRoots:
    """Sources with Secrets as they are, but for another certificate under root.crt."""

    behind: Sources

    async def secret(self, namespace: str, name: str) -> Json | None:
        secret = await self.behind.secret(namespace, name)
        data = (secret or {}).get("data") or {}
        if secret is None or "root.crt" not in data:
            return secret
        true = encoding.certificate(base64.b64decode(data["root.crt"]))
        other = base64.b64encode(namesake(true).pem).decode()
        return secret | {"data": data | {"root.crt": other}}

    async def config_map(self, namespace: str, name: str) -> Json | None:
        return await self.behind.config_map(namespace, name)

    async def token(self, pod: Json, source: Json) -> str:
        return await self.behind.token(pod, source)


def _with_uri(secret: SecretDraft, uri: str) -> SecretDraft:
    """Return a user's Secret with another URI for PgBouncer, if it has one."""
    return secret.holding({_URI: uri}) if _URI in secret.data else secret


@Fault(
    name="uri-missing",
    breaks="The user's Secret has no pgbouncer-uri.",
    requirements=("CONN-1",),
    collateral=(Hit(requirement="AUTO-2c", reason="the Secret has one key fewer"),),
)
class UriMissing(Contract):
    def user_secret(self, context: Context, user: User) -> SecretDraft:
        return super().user_secret(context, user).lacking("pgbouncer-uri")


@Fault(
    name="replica-keeps-users-out",
    breaks="Without rules of a user the replicas have none for ordinary users at all.",
    requirements=("CONN-13",),
    where="data plane",
)
class ReplicaKeepsUsersOut(Contract):
    def default_rule(self, cluster: Cluster, role: Role) -> str:
        if role == "replica" and not cluster.tls_only:
            return "hostssl all all all reject"
        return super().default_rule(cluster, role)

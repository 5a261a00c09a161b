"""Faults of the chapter CERTREQ: names and properties of the generated leaves."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from reference.faults.fault import Fault, Hit
from reference.faults.rules import identity, mapped
from reference.operator.context import Context
from reference.operator.contract import Contract, Leaf, Purpose
from reference.operator.model import Role
from reference.operator.names import DOMAIN
from reference.operator.pki import Profile, Subject

_COMMON_NAME = "replication"
_BOTH_ENDS = x509.ExtendedKeyUsage(
    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
)


@Fault(
    name="server-cn-of-cert-manager",
    breaks="The CN of the generated external leaf is <c>-postgres.",
    requirements=("CERTREQ-1a",),
    versions=("2.9-3.1",),
)
class ServerCnOfCertManager(Contract):
    def subject(self, context: Context, leaf: Leaf) -> Subject:
        subject = super().subject(context, leaf)
        if leaf.purpose != "server":
            return subject
        return replace(subject, common_name=context.names.of("postgres"))


@Fault(
    name="replicas-name-missing",
    breaks="The generated external leaf lacks the name <c>-replicas.<ns>.",
    requirements=("CERTREQ-1b",),
    collateral=(
        Hit(requirement="CERTREQ-4", reason="it compares the whole list of names"),
        Hit(requirement="CONN-4a", reason="it verifies by that name"),
    ),
)
class ReplicasNameMissing(Contract):
    def subject(self, context: Context, leaf: Leaf) -> Subject:
        subject = super().subject(context, leaf)
        if leaf.purpose != "server":
            return subject
        missing = context.names.dns("replicas")[2]
        return replace(subject, names=tuple(name for name in subject.names if name != missing))


@Fault(
    name="replication-cn-mapped",
    breaks="The generated internal leaf has CN replication, mapped to _crunchyrepl by ident.",
    requirements=("CERTREQ-2a",),
    collateral=(Hit(requirement="REPL-2", reason="the walsender shows the same CN"),),
)
class ReplicationCnMapped(Contract):
    def subject(self, context: Context, leaf: Leaf) -> Subject:
        subject = super().subject(context, leaf)
        internal = leaf.purpose == "replication"
        return replace(subject, common_name=_COMMON_NAME) if internal else subject

    def identities(self) -> list[str]:
        return [*super().identities(), identity(_COMMON_NAME)]

    def replication_rules(self, context: Context, role: Role) -> list[str]:
        rules = super().replication_rules(context, role)
        return rules if context.tls.custom_leaves else mapped(rules)


@Fault(
    name="names-end-in-a-dot",
    breaks="Full names in all generated leaves end in a dot.",
    requirements=("CERTREQ-3a",),
    collateral=(
        Hit(requirement="CERTREQ-4", reason="it compares the whole list of names"),
        Hit(requirement="CONN-4a", reason="verify-full by a full name fails on it"),
    ),
    versions=("2.2-2.7",),
)
class NamesEndInADot(Contract):
    def subject(self, context: Context, leaf: Leaf) -> Subject:
        return _dotted(super().subject(context, leaf))


@Fault(
    name="instance-name-ends-in-a-dot",
    breaks="Only the full name in the leaves of <inst>-certs ends in a dot.",
    requirements=("CERTREQ-3a",),
)
class InstanceNameEndsInADot(Contract):
    def subject(self, context: Context, leaf: Leaf) -> Subject:
        subject = super().subject(context, leaf)
        return _dotted(subject) if leaf.purpose == "instance" else subject


@Fault(
    name="leaf-with-eku",
    breaks="The generated external leaf names extended key usages.",
    requirements=("CERTREQ-4",),
    versions=("2.9-3.1",),
)
class LeafWithEku(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        if leaf.purpose != "server":
            return profile
        return replace(profile, extensions=(*profile.extensions, _BOTH_ENDS))


class _StaysUnderOldSuffix(Contract):
    """Leaves of some purposes keep the names that they were made with, whatever the suffix is."""

    staying: frozenset[Purpose]

    def subject(self, context: Context, leaf: Leaf) -> Subject:
        if leaf.purpose in self.staying:
            names = replace(context.names, domain=DOMAIN)
            context = replace(context, cluster=replace(context.cluster, names=names))
        return super().subject(context, leaf)


@Fault(
    name="names-stay-under-old-suffix",
    breaks="No leaf follows a change of clusterServiceDNSSuffix.",
    requirements=("CERTREQ-4a",),
)
class NamesStayUnderOldSuffix(_StaysUnderOldSuffix):
    staying = frozenset({"server", "instance", "pgbouncer", "pgbackrest-repo"})


@Fault(
    name="pooler-names-stay-under-old-suffix",
    breaks="PgBouncer's leaf alone does not follow a change of clusterServiceDNSSuffix.",
    requirements=("CERTREQ-4a",),
)
class PoolerNamesStayUnderOldSuffix(_StaysUnderOldSuffix):
    staying = frozenset({"pgbouncer"})


def _dotted(subject: Subject) -> Subject:
    """Return a subject whose full names end in a dot."""
    common_name, *names = (
        f"{name}." if name.endswith(f".{DOMAIN}") else name
        for name in (subject.common_name, *subject.names)
    )
    return Subject(common_name=common_name, names=tuple(names))

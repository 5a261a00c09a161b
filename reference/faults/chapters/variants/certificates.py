"""Variants of the certificates that the operator makes: their keys, names, forms and chains."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from reference.faults.fault import Hit, hits
from reference.faults.leaves import Form, usages, written
from reference.faults.roots import derived_key
from reference.faults.variant import Variant
from reference.operator.context import Context
from reference.operator.contract import Contract, Leaf, Purpose
from reference.operator.model import Cluster
from reference.operator.pki import Authority, Pair, Profile, Subject, encoding, issue
from reference.operator.pki.authority import BACKDATE, COMMON_NAME, LIFETIME
from reference.operator.pki.signing import sign

_FORM = "it describes the form that the operator of today writes"
_SERVERS: tuple[Purpose, ...] = ("instance", "pgbouncer", "pgbackrest-repo")


class _Remade(Contract):
    """Leaves that are made anew where the usual ones would be, in a form of the subclass."""

    def pair(self, context: Context, leaf: Leaf, stored: Pair) -> Pair:
        pair = super().pair(context, leaf, stored)
        if pair is stored:
            return stored
        return self.remade(context, leaf, self.profile(context, leaf)) or pair

    def remade(self, context: Context, leaf: Leaf, profile: Profile) -> Pair | None:
        """Return the leaf in its own form; None for the usual one."""
        return None


@Variant(
    name="rsa-leaves",
    aspect="leaves",
    differs="Leaves have RSA keys of 2048 bits, one key for each purpose.",
    differing=hits(_FORM, "CERTREQ-4"),
)
class RsaLeaves(_Remade):
    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[Purpose, rsa.RSAPrivateKey] = {}

    def remade(self, context: Context, leaf: Leaf, profile: Profile) -> Pair | None:
        if leaf.purpose not in self._keys:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            self._keys[leaf.purpose] = key
        return issue(replace(profile, key=self._keys[leaf.purpose]), context.now)


@Variant(
    name="p384-throughout",
    aspect="leaves",
    differs="Root and leaves have keys on P-384.",
    differing=(*hits(_FORM, "AUTO-4c", "CERTREQ-4"),),
)
class P384Throughout(_Remade):
    def new_root(self, cluster: Cluster, now: datetime) -> Authority:
        return _root(now, ec.generate_private_key(ec.SECP384R1()))

    def remade(self, context: Context, leaf: Leaf, profile: Profile) -> Pair | None:
        return issue(replace(profile, key=ec.generate_private_key(ec.SECP384R1())), context.now)


@Variant(
    name="intermediate-sent",
    aspect="leaves",
    differs="Leaves are signed by an intermediate, which stands behind them and is sent with them.",
    differing=(
        Hit(requirement="AUTO-4c", reason="the root leaves room for one authority below it"),
        Hit(requirement="CERTREQ-4", reason="the issuer's key is the intermediate's"),
    ),
)
class IntermediateSent(Contract):
    def __init__(self) -> None:
        super().__init__()
        self._below: dict[bytes, Authority] = {}

    def new_root(self, cluster: Cluster, now: datetime) -> Authority:
        return _root(now, ec.generate_private_key(ec.SECP256R1()), path_length=1)

    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        return replace(profile, issuer=self._intermediate(context))

    def pair(self, context: Context, leaf: Leaf, stored: Pair) -> Pair:
        pair = super().pair(context, leaf, stored)
        if pair is stored:
            return stored
        return replace(pair, certificate=pair.certificate + self._intermediate(context).pem)

    def _intermediate(self, context: Context) -> Authority:
        root = context.tls.authority
        if root.pem not in self._below:
            key = derived_key(root.pem.decode())
            certificate = sign(
                subject=encoding.name_of("intermediate"),
                key=key,
                issuer=root.certificate.subject,
                signer=root.key,
                begins=context.now - BACKDATE,
                ends=min(context.now + LIFETIME / 2, root.certificate.not_valid_after_utc),
                usages=("key_cert_sign", "crl_sign"),
                constraints=x509.BasicConstraints(ca=True, path_length=0),
                extensions=[x509.SubjectKeyIdentifier.from_public_key(key.public_key())],
            )
            self._below[root.pem] = Authority(certificate, key)
        return self._below[root.pem]


@Variant(
    name="more-names",
    aspect="names",
    differs="Servers' leaves have more names: wildcards, another domain, a name by itself.",
    differing=hits(_FORM, "CERTREQ-4"),
)
class MoreNames(Contract):
    def subject(self, context: Context, leaf: Leaf) -> Subject:
        subject = super().subject(context, leaf)
        if leaf.purpose in ("replication", "pgbackrest-client"):
            return subject
        namespace, cluster = context.names.namespace, context.names.cluster
        more = (f"*.{cluster}-pods.{namespace}.svc", "db.example.com", f"{cluster}-db", "postgres")
        return replace(subject, names=(*subject.names, *more))


@Variant(
    name="names-in-reverse",
    aspect="names",
    differs="Leaves have their names in the reverse order, the short ones first.",
    differing=hits(_FORM, "CERTREQ-4"),
)
class NamesInReverse(Contract):
    def subject(self, context: Context, leaf: Leaf) -> Subject:
        subject = super().subject(context, leaf)
        return replace(subject, names=subject.names[::-1])


@Variant(
    name="no-common-names",
    aspect="leaves",
    differs="Instances' and PgBouncer's leaves have no subject, and their names are critical.",
)
class NoCommonNames(_Remade):
    def subject(self, context: Context, leaf: Leaf) -> Subject:
        subject = super().subject(context, leaf)
        return replace(subject, common_name="") if leaf.purpose in _SERVERS else subject

    def remade(self, context: Context, leaf: Leaf, profile: Profile) -> Pair | None:
        if leaf.purpose not in _SERVERS:
            return None
        return written(profile, Form(common_name=False), context.now)


@Variant(
    name="organisations-in-subjects",
    aspect="leaves",
    differs="Leaves name a country, an organisation and a unit before their common name.",
)
class OrganisationsInSubjects(_Remade):
    def remade(self, context: Context, leaf: Leaf, profile: Profile) -> Pair | None:
        around = (
            (NameOID.COUNTRY_NAME, "DE"),
            (NameOID.ORGANIZATION_NAME, "Größer, Müller & Söhne"),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, "db/eng"),
        )
        return written(profile, Form(around=around), context.now)


@Variant(
    name="leaves-of-another-tool",
    aspect="leaves",
    differs="Leaves have serials of 20 octets, SHA-256, both purposes, and no key identifier.",
    differing=hits(_FORM, "CERTREQ-4"),
)
class LeavesOfAnotherTool(_Remade):
    def remade(self, context: Context, leaf: Leaf, profile: Profile) -> Pair | None:
        # RFC 5280, section 4.1.2.2: no more than 20 octets, and positive.
        serial = (1 << 158) | encoding.serial_number()
        purposes = x509.ExtendedKeyUsage(
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        )
        form = Form(
            serial=serial,
            digest=hashes.SHA256(),
            extensions=(usages("content_commitment", "key_agreement"), purposes),
        )
        return written(profile, form, context.now)


@Variant(
    name="serials-in-turn",
    aspect="leaves",
    differs="Leaves are numbered 1, 2, 3 … by each root, and begin at the moment they are made.",
)
class SerialsInTurn(_Remade):
    def __init__(self) -> None:
        super().__init__()
        self._issued: dict[bytes, int] = {}

    def remade(self, context: Context, leaf: Leaf, profile: Profile) -> Pair | None:
        root = profile.issuer.pem
        self._issued[root] = number = self._issued.get(root, 0) + 1
        return written(profile, Form(serial=number, backdated=timedelta()), context.now)


@Variant(
    name="longer-lives",
    aspect="dates",
    differs="Leaves live for five years, as far as their root does.",
)
class LongerLives(Contract):
    def profile(self, context: Context, leaf: Leaf) -> Profile:
        profile = super().profile(context, leaf)
        left = profile.issuer.certificate.not_valid_after_utc - context.now
        most = min(timedelta(days=5 * 365), left - timedelta(days=1))
        return replace(profile, lifetime=max(profile.lifetime, most))


@Variant(
    name="root-by-hand",
    aspect="dates",
    differs="The generated root has another name, no path length, usages or key identifier.",
    differing=hits(_FORM, "AUTO-4c"),
)
class RootByHand(Contract):
    def new_root(self, cluster: Cluster, now: datetime) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Operations"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"Root of {cluster.names.cluster}"),
            ]
        )
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), encoding.serial_number())
            .not_valid_before(now - BACKDATE)
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=False)
            .sign(key, hashes.SHA256())
        )
        return Authority(certificate, key)


def _root(now: datetime, key: encoding.SigningKey, path_length: int = 0) -> Authority:
    """Make a root as the operator does, with another key or room below it."""
    name = encoding.name_of(COMMON_NAME)
    certificate = sign(
        subject=name,
        key=key,
        issuer=name,
        signer=key,
        begins=now - BACKDATE,
        ends=now + LIFETIME,
        usages=("key_cert_sign", "crl_sign"),
        constraints=x509.BasicConstraints(ca=True, path_length=path_length),
        extensions=[x509.SubjectKeyIdentifier.from_public_key(key.public_key())],
    )
    return Authority(certificate, key)

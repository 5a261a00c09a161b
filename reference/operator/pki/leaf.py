"""Leaf certificates: what a server or a client shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from reference.operator.pki import encoding
from reference.operator.pki.authority import BACKDATE, Authority

_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=True,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The CN of a leaf, and its DNS names in their order."""

    common_name: str
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The properties that a leaf is made with; defaults are the contract's.

    `key` None makes a fresh key. `extensions` are added, not critical, to those of every leaf.
    """

    subject: Subject
    issuer: Authority
    lifetime: timedelta = timedelta(days=365)
    key: encoding.SigningKey | None = None
    extensions: tuple[x509.ExtensionType, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes


NO_PAIR = Pair(certificate=b"", key=b"")


def issue(profile: Profile, now: datetime) -> Pair:
    """Sign a leaf: P-256, key usage and basic constraints critical, backdated by an hour."""
    key = profile.key or ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(name) for name in profile.subject.names]
    builder = (
        x509.CertificateBuilder(
            profile.issuer.certificate.subject,
            encoding.name_of(profile.subject.common_name),
            key.public_key(),
            encoding.serial_number(),
        )
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + profile.lifetime)
        .add_extension(_USAGE, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    builder = _with_authority_key_identifier(builder, profile.issuer)
    for extension in (x509.SubjectAlternativeName(names), *profile.extensions):
        builder = builder.add_extension(extension, critical=False)
    leaf = builder.sign(profile.issuer.key, hashes.SHA384())
    return Pair(certificate=encoding.certificate_pem(leaf), key=encoding.key_pem(key))


def _with_authority_key_identifier(
    builder: x509.CertificateBuilder, issuer: Authority
) -> x509.CertificateBuilder:
    try:
        identifier = issuer.certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        )
    except x509.ExtensionNotFound:
        return builder
    return builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value),
        critical=False,
    )

"""Leaves: what a server or a client shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

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
_BOTH_ENDS = x509.ExtendedKeyUsage(
    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whom a leaf is for: its CN and its DNS names, in order."""

    common_name: str
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LeafShape:
    """How a leaf is made; the default is the contract's. `key` None makes a fresh one."""

    lifetime: timedelta = timedelta(days=365)
    extended_usage: bool = False
    key: encoding.SigningKey | None = None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A leaf and its key, as PEM."""

    certificate: bytes
    key: bytes


def issue(
    authority: Authority, subject: Subject, now: datetime, shape: LeafShape | None = None
) -> Pair:
    """Sign a leaf: P-256, key usage and basic constraints critical, backdated by an hour."""
    shape = shape or LeafShape()
    key = shape.key or ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in subject.names])
    builder = (
        x509.CertificateBuilder(
            authority.certificate.subject,
            encoding.name_of(subject.common_name),
            key.public_key(),
            encoding.serial_number(),
        )
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + shape.lifetime)
        .add_extension(_USAGE, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    builder = _identify(builder, authority).add_extension(names, critical=False)
    if shape.extended_usage:
        builder = builder.add_extension(_BOTH_ENDS, critical=False)
    leaf = builder.sign(authority.key, hashes.SHA384())
    return Pair(certificate=encoding.certificate_pem(leaf), key=encoding.key_pem(key))


def _identify(builder: x509.CertificateBuilder, authority: Authority) -> x509.CertificateBuilder:
    try:
        identifier = authority.certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        )
    except x509.ExtensionNotFound:
        return builder
    return builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value),
        critical=False,
    )

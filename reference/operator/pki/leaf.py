"""Leaf certificates: what a server or a client shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from reference.operator.pki import encoding
from reference.operator.pki.authority import BACKDATE, Authority
from reference.operator.pki.signing import sign

A_YEAR = timedelta(days=365)


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
    lifetime: timedelta = A_YEAR
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
    leaf = sign(
        subject=encoding.name_of(profile.subject.common_name),
        key=key,
        issuer=profile.issuer.certificate.subject,
        signer=profile.issuer.key,
        begins=now - BACKDATE,
        ends=now + profile.lifetime,
        usages=("digital_signature", "key_encipherment"),
        constraints=x509.BasicConstraints(ca=False, path_length=None),
        extensions=[
            *_authority_key_identifier(profile.issuer),
            x509.SubjectAlternativeName(names),
            *profile.extensions,
        ],
    )
    return Pair(certificate=encoding.certificate_pem(leaf), key=encoding.key_pem(key))


def _authority_key_identifier(issuer: Authority) -> list[x509.ExtensionType]:
    """Return the extension that names the issuer's key; none for an issuer that does not either."""
    try:
        identifier = issuer.certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        )
    except x509.ExtensionNotFound:
        return []
    return [x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value)]

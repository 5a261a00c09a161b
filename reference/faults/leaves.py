"""Leaves of another form than the operator's, as other tools make them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reference.operator.pki import Pair, Profile, encoding

_USAGES = (
    "content_commitment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a leaf is written; the profile still says for whom, by whom and for how long.

    `around` are attributes of the subject before the common name; a subject without a common name
    is empty, and its names are then critical (RFC 5280, section 4.2.1.6). `extensions` come in the
    place of key usage and authority key identifier.
    """

    around: tuple[tuple[x509.ObjectIdentifier, str], ...] = ()
    common_name: bool = True
    serial: int | None = None
    backdated: timedelta = timedelta(hours=1)
    digest: hashes.SHA256 | hashes.SHA384 = field(default_factory=hashes.SHA384)
    extensions: tuple[x509.ExtensionType, ...] | None = None


def written(profile: Profile, form: Form, now: datetime) -> Pair:
    """Sign a leaf of this form, with the profile's key or a fresh one."""
    key = profile.key or ec.generate_private_key(ec.SECP256R1())
    issuer = profile.issuer.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(profile.subject.common_name, form))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(encoding.serial_number() if form.serial is None else form.serial)
        .not_valid_before(now - form.backdated)
        .not_valid_after(now + profile.lifetime)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in profile.subject.names]),
            critical=not form.common_name,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    given = form.extensions
    for extension in _usual(issuer) if given is None else given:
        critical = isinstance(extension, x509.KeyUsage)
        builder = builder.add_extension(extension, critical=critical)
    leaf = builder.sign(profile.issuer.key, form.digest)
    return Pair(certificate=encoding.certificate_pem(leaf), key=encoding.key_pem(key))


def usages(*more: str) -> x509.KeyUsage:
    """Return the key usage of a leaf: digitalSignature, keyEncipherment, and more."""
    others = {name: name in more for name in _USAGES}
    return x509.KeyUsage(digital_signature=True, key_encipherment=True, **others)


def _subject(common_name: str, form: Form) -> x509.Name:
    if not form.common_name:
        return x509.Name([])
    around = [x509.NameAttribute(oid, value) for oid, value in form.around]
    # RFC 5280 bounds a CN to 64 characters; a full Pod name is longer, and verifiers take it.
    own = encoding.name_of(common_name).get_attributes_for_oid(NameOID.COMMON_NAME)
    return x509.Name([*around, *own])


def _usual(issuer: x509.Certificate) -> Iterable[x509.ExtensionType]:
    yield usages()
    try:
        known = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return
    yield x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)

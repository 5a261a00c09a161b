"""X.509 certificates, built and signed: for roots and for leaves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from reference.operator.pki import encoding


def sign(
    *,
    subject: x509.Name,
    key: encoding.SigningKey,
    issuer: x509.Name,
    signer: encoding.SigningKey,
    begins: datetime,
    ends: datetime,
    usages: tuple[str, ...],
    constraints: x509.BasicConstraints,
    extensions: Iterable[x509.ExtensionType],
) -> x509.Certificate:
    """Make a certificate with `key`, signed with SHA-384 by `signer`, the issuer's key.

    `usages` are attributes of `x509.KeyUsage`; they and `constraints` are critical, `extensions`
    not.
    """
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), encoding.serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.KeyUsage(**{name: name in usages for name in _USAGES}), critical=True)
        .add_extension(constraints, critical=True)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signer, hashes.SHA384())


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)

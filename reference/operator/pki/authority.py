"""A root that signs: generated for a cluster, or given by a user."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from reference.operator.pki import encoding

COMMON_NAME = "postgres-operator-ca"
LIFETIME = timedelta(days=3650)
BACKDATE = timedelta(hours=1)
# Order of the group of P-256, SEC 2 section 2.4.2.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class BadAuthorityError(ValueError):
    """A root that must not sign; the message says why, and which part of it is meant."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class RootShape:
    """How a root is made; the default is the contract's. `key` None makes a fresh one."""

    key: ec.EllipticCurvePrivateKey | None = None
    curve: type[ec.EllipticCurve] = ec.SECP256R1
    signed_by_itself: bool = True


@dataclass(frozen=True, eq=False)
class Authority:
    """A certificate that may sign, and its key."""

    certificate: x509.Certificate
    key: encoding.SigningKey

    @property
    def pem(self) -> bytes:
        """Its certificate as PEM."""
        return encoding.certificate_pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """Its key as PEM."""
        return encoding.key_pem(self.key)

    @classmethod
    def generate(cls, now: datetime, shape: RootShape | None = None) -> Authority:
        """Make a root: P-256, ecdsa-with-SHA384, ten years, good for leaves alone."""
        shape = shape or RootShape()
        key = shape.key or ec.generate_private_key(shape.curve())
        signer = key if shape.signed_by_itself else ec.generate_private_key(shape.curve())
        name = encoding.name_of(COMMON_NAME)
        return cls(_self_issued(name, key, signer, now - BACKDATE, now + LIFETIME), key)

    @classmethod
    def load(cls, certificate: bytes, key: bytes, now: datetime) -> Authority:
        """Take a root from PEM, once it is seen to be able to sign. Raises BadAuthorityError."""
        try:
            root = encoding.certificate(certificate)
        except encoding.BadPemError as error:
            raise BadAuthorityError("root.crt", str(error)) from error
        try:
            signer = encoding.private_key(key)
        except encoding.BadPemError as error:
            raise BadAuthorityError("root.key", str(error)) from error
        _check(root, signer, now)
        return cls(root, signer)

    def namesake(self) -> Authority:
        """Another root of the same name: always the same one for the same root."""
        digest = hashlib.sha256(encoding.certificate_pem(self.certificate)).digest()
        key = derived_key(digest)
        began, ends = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        return Authority(_self_issued(self.certificate.subject, key, key, began, ends), key)

    def reissued(self) -> bytes:
        """A second certificate, as PEM, of the same name and key."""
        began, ends = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        return encoding.certificate_pem(
            _self_issued(self.certificate.subject, self.key, self.key, began, ends)
        )


def derived_key(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """The P-256 key that a seed always gives; for faults, which need no secrecy."""
    number = int.from_bytes(hashlib.sha512(seed).digest())
    return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())


def _check(root: x509.Certificate, key: encoding.SigningKey, now: datetime) -> None:
    if not encoding.belongs(key, root):
        raise BadAuthorityError("root.key", "is not the key of the root certificate")
    if not _is_authority(root):
        raise BadAuthorityError("root.crt", "is not the certificate of a CA")
    if now > root.not_valid_after_utc:
        raise BadAuthorityError("root.crt", f"expired at {root.not_valid_after_utc:%F %T}Z")
    if now < root.not_valid_before_utc:
        raise BadAuthorityError("root.crt", f"begins at {root.not_valid_before_utc:%F %T}Z only")


def _is_authority(root: x509.Certificate) -> bool:
    try:
        if not root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except (x509.ExtensionNotFound, ValueError):
        return False
    try:
        return root.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _self_issued(
    name: x509.Name,
    key: encoding.SigningKey,
    signer: encoding.SigningKey,
    began: datetime,
    ends: datetime,
) -> x509.Certificate:
    usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
    return (
        x509.CertificateBuilder(name, name, key.public_key(), encoding.serial_number())
        .not_valid_before(began)
        .not_valid_after(ends)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(signer, hashes.SHA384())
    )


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

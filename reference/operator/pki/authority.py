"""Root certificates that sign: generated for a cluster, or given by a user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from reference.operator.pki import encoding
from reference.operator.pki.signing import sign

COMMON_NAME = "postgres-operator-ca"
LIFETIME = timedelta(days=3650)
BACKDATE = timedelta(hours=1)


class BadAuthorityError(ValueError):
    """A root that must not sign: `reason` says why, `path` names the file that is wrong."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True, eq=False)
class Authority:
    """A certificate that may sign, and its key."""

    certificate: x509.Certificate
    key: encoding.SigningKey

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return encoding.certificate_pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """The key as PEM."""
        return encoding.key_pem(self.key)

    @classmethod
    def generate(cls, now: datetime) -> Authority:
        """Make a root: P-256, ecdsa-with-SHA384, ten years, good for leaves alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = encoding.name_of(COMMON_NAME)
        return cls(self_issued(name, key, key, now - BACKDATE, now + LIFETIME), key)

    @classmethod
    def load(cls, certificate: bytes, key: bytes, now: datetime) -> Authority:
        """Read a root from PEM, and check that it can sign. Raises BadAuthorityError."""
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


def self_issued(
    name: x509.Name,
    key: encoding.SigningKey,
    signer: encoding.SigningKey,
    begins: datetime,
    ends: datetime,
) -> x509.Certificate:
    """Make a certificate of a CA whose subject is its issuer; `signer` is normally its `key`."""
    return sign(
        subject=name,
        key=key,
        issuer=name,
        signer=signer,
        begins=begins,
        ends=ends,
        usages=("key_cert_sign", "crl_sign"),
        constraints=x509.BasicConstraints(ca=True, path_length=0),
        extensions=[x509.SubjectKeyIdentifier.from_public_key(key.public_key())],
    )

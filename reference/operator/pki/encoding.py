"""Certificates and keys to and from PEM."""

from __future__ import annotations

import re
import secrets
import warnings
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MARK = re.compile(rb"-----(BEGIN|END) [A-Z0-9 ]+-----\s*")


class BadPemError(ValueError):
    """Bytes that hold no certificate, or no usable private key."""


@lru_cache(maxsize=4096)
def certificate(pem: bytes) -> x509.Certificate:
    """Parse the first certificate of a PEM file. Raises BadPemError."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise BadPemError("holds no PEM certificate") from error


@lru_cache(maxsize=4096)
def certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Parse all certificates of a PEM file that a user wrote and a server is to read.

    Raises BadPemError, also for blocks that OpenSSL would not find.
    """
    _check_marks(pem)
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise BadPemError("holds no PEM certificate") from error


@lru_cache(maxsize=4096)
def is_key_of(pem: bytes, leaf: x509.Certificate) -> bool:
    """Return whether a private key of any kind, as a user wrote it, is that of a certificate.

    Raises BadPemError.
    """
    _check_marks(pem)
    try:
        key = serialization.load_pem_private_key(_without_parameters(pem), password=None)
        return key.public_key() == leaf.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadPemError("holds no unencrypted PEM private key") from error


def _check_marks(pem: bytes) -> None:
    for number, line in enumerate(pem.removeprefix(_BYTE_ORDER_MARK).split(b"\n"), start=1):
        if (b"-----BEGIN " in line or b"-----END " in line) and not _MARK.fullmatch(line):
            raise BadPemError(f"has the mark of a PEM block not alone in line {number}")


@lru_cache(maxsize=4096)
def private_key(pem: bytes) -> SigningKey:
    """Parse a private key, EC or RSA, SEC1, PKCS#1 or PKCS#8. Raises BadPemError."""
    try:
        key = serialization.load_pem_private_key(_without_parameters(pem), password=None)
    except (ValueError, TypeError) as error:
        raise BadPemError("holds no unencrypted PEM private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise BadPemError("holds a key that is neither EC nor RSA")
    return key


def belongs(key: SigningKey, leaf: x509.Certificate) -> bool:
    """Return whether a private key is that of a certificate."""
    return key.public_key() == leaf.public_key()


def certificate_pem(value: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return value.public_bytes(serialization.Encoding.PEM)


def key_pem(value: SigningKey) -> bytes:
    """Return a key as PEM in its traditional form; for EC that is SEC1, as the contract has it."""
    return value.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def name_of(text: str) -> x509.Name:
    """Return a distinguished name of one CN."""
    with _any_length():
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text, _validate=False)])


def common_name(leaf: x509.Certificate) -> str:
    """Return the first CN of a certificate's subject; empty if it has none."""
    with _any_length():
        names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _any_length() -> warnings.catch_warnings[None]:
    # RFC 5280 bounds a CN to 64 characters; a full Pod name is longer, and verifiers take it.
    return warnings.catch_warnings(action="ignore", category=UserWarning)


def serial_number() -> int:
    """Return a random serial number of 128 bits."""
    return secrets.randbits(128) | 1


def _without_parameters(pem: bytes) -> bytes:
    end = b"-----END EC PARAMETERS-----"
    return pem.split(end, 1)[1].lstrip() if end in pem else pem


@lru_cache(maxsize=1024)
def fingerprints(pem: bytes) -> frozenset[bytes]:
    """Return the SHA-256 of each certificate of a PEM file. Raises BadPemError."""
    try:
        return frozenset(
            each.fingerprint(hashes.SHA256()) for each in x509.load_pem_x509_certificates(pem)
        )
    except ValueError as error:
        raise BadPemError("holds no PEM certificate") from error

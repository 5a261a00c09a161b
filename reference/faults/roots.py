"""Roots that no contract asks for: of another's name, of a known key, of another signer."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from reference.operator.pki import Authority, encoding
from reference.operator.pki.authority import BACKDATE, COMMON_NAME, LIFETIME, self_issued

LEGACY_ROOT = "pgo-root-cacert"
"""The Secret with the root that operators before 2.5 shared among the clusters of a namespace."""

# Order of the group of P-256, SEC 2 section 2.4.2.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def derived_key(seed: str) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key that a seed always gives: faults need no secrecy."""
    number = int.from_bytes(hashlib.sha512(seed.encode()).digest())
    return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())


def root(
    key: encoding.SigningKey, now: datetime, signer: encoding.SigningKey | None = None
) -> Authority:
    """Make a root as the operator does, but of a given key, or even signed by another."""
    name = encoding.name_of(COMMON_NAME)
    return Authority(self_issued(name, key, signer or key, now - BACKDATE, now + LIFETIME), key)


@cache
def stranger(common_name: str) -> Authority:
    """Make a root that no Secret holds, the same whenever this program asks for it."""
    now, name, key = datetime.now(UTC), encoding.name_of(common_name), derived_key(common_name)
    return Authority(self_issued(name, key, key, now - BACKDATE, now + LIFETIME), key)


def namesake(certificate: x509.Certificate) -> Authority:
    """Make a root of the same name and life with another key, always the same for one root."""
    key = derived_key(encoding.certificate_pem(certificate).decode())
    return Authority(_like(certificate, key), key)


def second_certificate(authority: Authority, stored: bytes) -> bytes:
    """Return a second certificate of a root's name and key: the stored one if it is one."""
    try:
        known = encoding.certificate(stored)
    except encoding.BadPemError:
        known = authority.certificate
    same_key = known.public_key() == authority.certificate.public_key()
    if same_key and known != authority.certificate:
        return stored
    return encoding.certificate_pem(_like(authority.certificate, authority.key))


def _like(certificate: x509.Certificate, key: encoding.SigningKey) -> x509.Certificate:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return self_issued(certificate.subject, key, key, begins, ends)

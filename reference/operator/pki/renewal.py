"""The renewal of leaves: kept while they serve, replaced before they expire."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from reference.operator.pki import encoding
from reference.operator.pki.leaf import Pair, Profile, Subject

# A leaf is replaced once less than this part of its life is left.
_RENEWAL_RATIO = 3


def is_current(pair: Pair, profile: Profile, now: datetime) -> bool:
    """Return whether a leaf still serves: issuer, key, names in order, and life enough left."""
    try:
        leaf = encoding.certificate(pair.certificate)
        key = encoding.private_key(pair.key)
    except encoding.BadPemError:
        return False
    return (
        _life_left(leaf, profile.issuer.certificate, now)
        and encoding.belongs(key, leaf)
        and _subject(pair.certificate) == profile.subject
        and _signed_by(pair.certificate, profile.issuer.pem)
    )


def _life_left(leaf: x509.Certificate, root: x509.Certificate, now: datetime) -> bool:
    began, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    # One that lasts as long as its root would not last longer if it were replaced.
    lasts = (ends - now) * _RENEWAL_RATIO >= ends - began or ends >= root.not_valid_after_utc
    return began <= now <= ends and lasts


@lru_cache(maxsize=4096)
def _subject(pem: bytes) -> Subject | None:
    leaf = encoding.certificate(pem)
    try:
        if leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return None
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    return Subject(
        common_name=encoding.common_name(leaf),
        names=tuple(str(name.value) for name in names),
    )


@lru_cache(maxsize=4096)
def _signed_by(leaf: bytes, root: bytes) -> bool:
    try:
        encoding.certificate(leaf).verify_directly_issued_by(encoding.certificate(root))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True

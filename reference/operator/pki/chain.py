"""Whether a leaf can work: its chain, dates, purpose and strength, as OpenSSL will look at them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

# OpenSSL's security level 2, which Debian and Red Hat build with.
_FEWEST_RSA_BITS = 2048
_WEAK_DIGESTS = (hashes.MD5, hashes.SHA1)
_LONGEST_CHAIN = 10

_E = TypeVar("_E", bound=x509.ExtensionType)


class Purpose(StrEnum):
    """The end of a connection at which a leaf is shown."""

    SERVER = "servers"
    CLIENT = "clients"


class UnfitError(ValueError):
    """A leaf that no verifier would accept; `in_authority` where that is due to its CA's file."""

    def __init__(self, reason: str, *, in_authority: bool = False) -> None:
        super().__init__(reason)
        self.in_authority = in_authority


def check_leaf(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    trusted: Sequence[x509.Certificate],
    purpose: Purpose,
    now: datetime,
) -> None:
    """Check that a leaf verifies under one of the trusted certificates. Raises UnfitError.

    The chain must end at one of them that is self-signed: libpq and PostgreSQL go on to it.
    """
    chain = _chain(leaf, intermediates, trusted)
    for depth, certificate in enumerate(chain):
        _check(certificate, purpose, now, is_leaf=depth == 0, trusted=certificate in trusted)
    _check_lengths(chain)


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Return whether a certificate is signed by its own key."""
    return _issued(certificate, certificate)


def _chain(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    trusted: Sequence[x509.Certificate],
) -> list[x509.Certificate]:
    chain = [leaf]
    while not (is_self_signed(chain[-1]) and chain[-1] in trusted):
        last = chain[-1]
        above = next((each for each in (*trusted, *intermediates) if _issued(last, each)), None)
        if above is None or above in chain or len(chain) > _LONGEST_CHAIN:
            raise _no_way(chain, trusted)
        chain.append(above)
    return chain


def _no_way(chain: list[x509.Certificate], trusted: Sequence[x509.Certificate]) -> UnfitError:
    last = chain[-1]
    issuer = last.issuer.rfc4514_string()
    if last in trusted:
        return UnfitError(
            f"holds {last.subject.rfc4514_string()} and not {issuer}, which issued that",
            in_authority=True,
        )
    if is_self_signed(last):
        return UnfitError("is signed by itself and not by a CA")
    whose = "" if len(chain) == 1 else f" above {last.subject.rfc4514_string()}"
    return UnfitError(f"has no chain to its CA: {issuer}{whose} is neither there nor beside it")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _check(
    certificate: x509.Certificate,
    purpose: Purpose,
    now: datetime,
    *,
    is_leaf: bool,
    trusted: bool,
) -> None:
    def unfit(reason: str) -> UnfitError:
        if is_leaf:
            return UnfitError(reason)
        name = certificate.subject.rfc4514_string()
        return UnfitError(f"has {name} above it, which {reason}", in_authority=False)

    if now > certificate.not_valid_after_utc:
        raise unfit(f"expired at {certificate.not_valid_after_utc:%F %T}Z")
    if now < certificate.not_valid_before_utc:
        raise unfit(f"begins at {certificate.not_valid_before_utc:%F %T}Z only")
    if unknown := _unknown_critical(certificate):
        raise unfit(f"has a critical extension that nobody knows, {unknown}")
    if not is_leaf and not _is_authority(certificate):
        raise unfit("is not the certificate of a CA")
    if not _serves(certificate, purpose, is_leaf=is_leaf):
        raise unfit(f"is not for {purpose} by its key usages")
    if weakness := _weakness(certificate, trusted=trusted):
        raise unfit(weakness)


def _check_lengths(chain: list[x509.Certificate]) -> None:
    for depth, certificate in enumerate(chain[1:]):
        constraints = _extension(certificate, x509.BasicConstraints)
        if constraints and constraints.path_length is not None and constraints.path_length < depth:
            name = certificate.subject.rfc4514_string()
            raise UnfitError(f"is {depth} CAs below {name}, which allows {constraints.path_length}")


def _unknown_critical(certificate: x509.Certificate) -> str:
    for extension in _extensions(certificate):
        if extension.critical and isinstance(extension.value, x509.UnrecognizedExtension):
            return extension.oid.dotted_string
    return ""


def _is_authority(certificate: x509.Certificate) -> bool:
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        return False
    if constraints is not None:
        return constraints.ca
    # Version 1 knows no extensions; a root of that kind is taken for a CA.
    return usage is not None or certificate.version is x509.Version.v1


def _serves(certificate: x509.Certificate, purpose: Purpose, *, is_leaf: bool) -> bool:
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    wanted = {
        Purpose.SERVER: ExtendedKeyUsageOID.SERVER_AUTH,
        Purpose.CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH,
    }[purpose]
    if extended is not None and wanted not in extended:
        return False
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None or not is_leaf:
        return True
    encipherment = purpose is Purpose.SERVER and usage.key_encipherment
    return usage.digital_signature or usage.key_agreement or encipherment


def _weakness(certificate: x509.Certificate, *, trusted: bool) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _FEWEST_RSA_BITS:
        return f"has an RSA key of {key.key_size} bits, too few for OpenSSL"
    digest = certificate.signature_hash_algorithm
    if isinstance(digest, _WEAK_DIGESTS) and not trusted:
        return f"is signed with {digest.name}, which OpenSSL does not take"
    return ""


def _extensions(certificate: x509.Certificate) -> Sequence[x509.Extension[x509.ExtensionType]]:
    try:
        return tuple(certificate.extensions)
    except (ValueError, x509.DuplicateExtension) as error:
        raise UnfitError(f"has an extension that cannot be read: {error}") from error


def _extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    for extension in _extensions(certificate):
        if isinstance(extension.value, kind):
            return extension.value
    return None

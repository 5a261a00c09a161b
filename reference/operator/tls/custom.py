"""Checks of the Secrets that a user gives, before anything is made with them.

Whatever is wrong is refused with a reason that names Secret and key, so that a cluster never
runs with certificates that its user did not give.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509

from embedded.client import Json
from reference.operator.model import SecretRef
from reference.operator.names import REPLICATION_USER
from reference.operator.pki import Authority, BadAuthorityError, encoding
from reference.operator.pki.chain import Purpose, UnfitError, check_leaf, is_self_signed
from reference.operator.secret_data import SecretLookup, read

ROOT = "spec.secrets.customRootCATLSSecret"
EXTERNAL = "spec.secrets.customTLSSecret"
INTERNAL = "spec.secrets.customReplicationTLSSecret"
POOLER = "spec.proxy.pgBouncer.customTLSSecret"

CERTIFICATE, KEY, CA = "tls.crt", "tls.key", "ca.crt"

Reason = Literal["TLSSecretsMissing", "TLSSecretsInvalid"]


class RefusedError(Exception):
    """Custom Secrets that no cluster may run with; `reason` is that of a status condition."""

    def __init__(self, message: str, reason: Reason = "TLSSecretsInvalid") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason


def present(field: str, ref: SecretRef, secret: Json | None) -> Json:
    """Check that a Secret exists, and return it. Raises RefusedError."""
    if secret is None or secret["metadata"].get("deletionTimestamp"):
        keys = ", ".join(ref.key(path) for path in (CERTIFICATE, KEY, CA))
        if field == ROOT:
            keys = f"{ref.key('root.crt')}, {ref.key('root.key')}"
        raise RefusedError(
            f"{field}: Secret {ref.name} is missing; create it with the keys {keys}",
            "TLSSecretsMissing",
        )
    return secret


def value(field: str, ref: SecretRef, secret: Json, path: str) -> bytes:
    """Check that a Secret holds what is expected at a path, and return it. Raises RefusedError."""
    found = read(secret, ref.key(path))
    if not found:
        raise RefusedError(
            f"{field}: key {ref.key(path)} is missing in Secret {ref.name}", "TLSSecretsMissing"
        )
    return found


@dataclass(frozen=True)
class _Given:
    """A Secret with a leaf: what it holds, and where that stands."""

    field: str
    ref: SecretRef
    chain: tuple[x509.Certificate, ...]
    trusted: tuple[x509.Certificate, ...]

    def bad(self, path: str, problem: str) -> RefusedError:
        """Return the refusal of the key that stands for `path`."""
        return _bad(self.field, self.ref, path, problem)

    def check_fitness(self, purpose: Purpose, now: datetime) -> None:
        """Check that the leaf verifies under its CA and is good for its purpose."""
        leaf, *intermediates = self.chain
        try:
            check_leaf(leaf, intermediates, self.trusted, purpose, now)
        except UnfitError as error:
            raise self.bad(CA if error.in_authority else CERTIFICATE, str(error)) from error


def check_pooler_leaf(ref: SecretRef, secret: Json | None, now: datetime) -> None:
    """Check that leaf, key and CA for PgBouncer are there, fit and work. Raises RefusedError."""
    _whole(POOLER, ref, secret).check_fitness(Purpose.SERVER, now)


def check_pair(
    external: SecretRef | None, internal: SecretRef | None, lookup: SecretLookup, now: datetime
) -> None:
    """Check that both leaves are given, are whole, have the same CA, and work.

    A leaf works if it verifies under its CA at this moment, for servers or for clients, and if the
    internal one names the replication user. Raises RefusedError.
    """
    if external is None or internal is None:
        raise _alone(external, internal)
    first = _whole(EXTERNAL, external, lookup(external.name))
    second = _whole(INTERNAL, internal, lookup(internal.name))
    if set(first.trusted) != set(second.trusted):
        raise RefusedError(
            f"key {external.key(CA)} of Secret {external.name} and key "
            f"{internal.key(CA)} of Secret {internal.name} differ; both must hold the same CA"
        )
    first.check_fitness(Purpose.SERVER, now)
    second.check_fitness(Purpose.CLIENT, now)
    name = encoding.common_name(second.chain[0])
    if name != REPLICATION_USER:
        raise second.bad(CERTIFICATE, f"has the CN {name!r}, which must be {REPLICATION_USER}")


def _whole(field: str, ref: SecretRef, secret: Json | None) -> _Given:
    """Read leaf, key and CA of a Secret. Raises RefusedError where one is absent or unfit."""
    secret = present(field, ref, secret)
    leaf, key, authority = (value(field, ref, secret, path) for path in (CERTIFICATE, KEY, CA))
    chain = _certificates(field, ref, CERTIFICATE, leaf)
    try:
        own = encoding.is_key_of(key, chain[0])
    except encoding.BadPemError as error:
        raise _bad(field, ref, KEY, str(error)) from error
    if not own:
        raise _bad(field, ref, KEY, f"is not the key of the certificate in {ref.key(CERTIFICATE)}")
    return _Given(field, ref, chain, _certificates(field, ref, CA, authority))


def _certificates(
    field: str, ref: SecretRef, path: str, pem: bytes
) -> tuple[x509.Certificate, ...]:
    try:
        return encoding.certificates(pem)
    except encoding.BadPemError as error:
        raise _bad(field, ref, path, str(error)) from error


def checked_root(ref: SecretRef, secret: Json | None, now: datetime) -> Authority:
    """Check that a root is there and can sign, and return it. Raises RefusedError."""
    secret = present(ROOT, ref, secret)
    certificate, key = (value(ROOT, ref, secret, path) for path in ("root.crt", "root.key"))
    try:
        authority = Authority.load(certificate, key, now)
    except BadAuthorityError as error:
        raise _bad(ROOT, ref, error.path, error.reason) from error
    if not is_self_signed(authority.certificate):
        issuer = authority.certificate.issuer.rfc4514_string()
        raise _bad(ROOT, ref, "root.crt", f"begins with no root: that is issued by {issuer}")
    return authority


def _bad(field: str, ref: SecretRef, path: str, problem: str) -> RefusedError:
    return RefusedError(f"{field}: key {ref.key(path)} of Secret {ref.name} {problem}")


def _alone(external: SecretRef | None, internal: SecretRef | None) -> RefusedError:
    field, ref, other = (
        (EXTERNAL, external, INTERNAL) if external else (INTERNAL, internal, EXTERNAL)
    )
    name = ref.name if ref else ""
    return RefusedError(
        f"{field}: Secret {name} cannot be used alone; name one with the keys "
        f"{', '.join((CERTIFICATE, KEY, CA))} in {other}, too",
        "TLSSecretsMissing",
    )

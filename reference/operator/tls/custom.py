"""Checks of the Secrets that a user gives, before anything is made with them.

Whatever is wrong is refused with a reason that names Secret and key, so that a cluster never
runs with certificates that its user did not give.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from embedded.client import Json
from reference.operator.model import SecretRef
from reference.operator.pki import Authority, BadAuthorityError, encoding
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


def checked_leaf(field: str, ref: SecretRef, secret: Json | None) -> frozenset[bytes]:
    """Check that leaf, key and CA are there and fit; return the CA's fingerprints (SHA-256).

    Raises RefusedError.
    """
    secret = present(field, ref, secret)
    leaf, key, authority = (value(field, ref, secret, path) for path in (CERTIFICATE, KEY, CA))
    try:
        certificate = encoding.certificate(leaf)
    except encoding.BadPemError as error:
        raise _bad(field, ref, CERTIFICATE, str(error)) from error
    try:
        private = encoding.private_key(key)
    except encoding.BadPemError as error:
        raise _bad(field, ref, KEY, str(error)) from error
    if not encoding.belongs(private, certificate):
        raise _bad(field, ref, KEY, f"is not the key of the certificate in {ref.key(CERTIFICATE)}")
    try:
        return encoding.fingerprints(authority)
    except encoding.BadPemError as error:
        raise _bad(field, ref, CA, str(error)) from error


def checked_pair(
    external: SecretRef | None, internal: SecretRef | None, lookup: SecretLookup
) -> None:
    """Check that both leaves are given, are whole, and have the same CA. Raises RefusedError."""
    if external is None or internal is None:
        raise _alone(external, internal)
    first = checked_leaf(EXTERNAL, external, lookup(external.name))
    second = checked_leaf(INTERNAL, internal, lookup(internal.name))
    if first != second:
        raise RefusedError(
            f"key {external.key(CA)} of Secret {external.name} and key "
            f"{internal.key(CA)} of Secret {internal.name} differ; both must hold the same CA"
        )


def checked_root(ref: SecretRef, secret: Json | None, now: datetime) -> Authority:
    """Check that a root is there and can sign, and return it. Raises RefusedError."""
    secret = present(ROOT, ref, secret)
    certificate, key = (value(ROOT, ref, secret, path) for path in ("root.crt", "root.key"))
    try:
        return Authority.load(certificate, key, now)
    except BadAuthorityError as error:
        raise _bad(ROOT, ref, error.path, error.reason) from error


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

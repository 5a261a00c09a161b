"""SCRAM-SHA-256 verifiers as PostgreSQL stores them (RFC 5802, RFC 7677)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

_ITERATIONS = 4096
_SALT = 16


def verifier(password: str) -> str:
    """Make a verifier, `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`."""
    return _compose(password, secrets.token_bytes(_SALT), _ITERATIONS)


def matches(password: str, stored: str) -> bool:
    """Return whether a stored verifier is that of a password."""
    try:
        _, parameters, _ = stored.split("$")
        iterations, salt = parameters.split(":")
        expected = _compose(password, base64.b64decode(salt), int(iterations))
    except ValueError:
        return False
    return hmac.compare_digest(stored, expected)


def kept(stored: str, password: str) -> str:
    """Return the stored verifier if it is that of the password, otherwise a new one."""
    return stored if matches(password, stored) else verifier(password)


# What is hard to compute by intention is computed once: a verifier is made, and then compared.
@lru_cache(maxsize=1024)
def _compose(password: str, salt: bytes, iterations: int) -> str:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = _text(hashlib.sha256(client).digest())
    server = _text(hmac.digest(salted, b"Server Key", "sha256"))
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${stored}:{server}"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()

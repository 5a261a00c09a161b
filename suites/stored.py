"""Content of a cluster's Secrets that a check needs, and whose presence another check judges."""

from __future__ import annotations

from cryptography import x509

from fixtures.pgcluster.inventory import Inventory, StoredSecret
from fixtures.run.outcomes import Blocked


def required_secret(inventory: Inventory, name: str) -> StoredSecret:
    """A Secret that AUTO-2b looks into. Raises Blocked where there is none."""
    secret = inventory.secrets.get(name)
    if secret is None:
        raise Blocked(f"AUTO-2b: Secret {name} does not exist")
    return secret


def required_certificates(
    inventory: Inventory, name: str, key: str
) -> tuple[x509.Certificate, ...]:
    """The certificates under a key that AUTO-2b promises. Raises Blocked where there is none."""
    secret = required_secret(inventory, name)
    certificates = secret.certificates.get(key)
    if not certificates:
        why = secret.unreadable.get(key, "no such key")
        raise Blocked(f"AUTO-2b: Secret {name} has no certificate under {key}: {why}")
    return certificates

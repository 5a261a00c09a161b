"""Chains from leaves to the roots that clients are told to trust."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from fixtures.certificates import fingerprint, is_authority, verify_chain

Certificates = tuple[x509.Certificate, ...]


def fault_of_chain(chain: Certificates, roots: Sequence[x509.Certificate]) -> str:
    """Return why the first certificate is no leaf under one of the roots; empty where it is one.

    The others of the chain are taken for intermediates. Signatures decide: an issuer's name says
    nothing, and the dates, of which clocks may differ, are another matter.
    """
    leaf = chain[0]
    if is_authority(leaf):
        return f"an authority (CA:TRUE), SHA-256 {fingerprint(leaf)}"
    result = verify_chain(leaf, roots, chain[1:], dates=False)
    return "" if result.ok else f"verify error {result.code}: {result.message}"

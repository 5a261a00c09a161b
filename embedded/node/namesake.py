"""A root that is another by its key alone; for a fault."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def namesake(pem: bytes) -> bytes:
    """A root of the same name and life, with a key of its own."""
    root = x509.load_pem_x509_certificate(pem)
    key = ec.generate_private_key(ec.SECP256R1())
    other = (
        x509.CertificateBuilder(root.subject, root.subject, key.public_key(), root.serial_number)
        .not_valid_before(root.not_valid_before_utc)
        .not_valid_after(root.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA384())
    )
    return other.public_bytes(serialization.Encoding.PEM)

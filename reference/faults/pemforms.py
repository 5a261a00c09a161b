"""PEM as other tools write it: the same certificates and keys, in other texts."""

from __future__ import annotations

import re
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from reference.operator.pki import encoding

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n[^-]+-----END \1-----")
_CURVE = {256: b"BggqhkjOPQMBBw==", 384: b"BgUrgQQAIg=="}

Blocks = list[tuple[str, bytes]]
"""Label and text of each block, the text without its last line's end."""


def blocks(value: bytes) -> Blocks:
    """Return the blocks of a PEM text in their order, bare; none where it is not PEM."""
    found = [(each[1].decode(), each[0].replace(b"\r\n", b"\n")) for each in _BLOCK.finditer(value)]
    return [(label, text) for label, text in found if label != "EC PARAMETERS"]


def reformed(value: bytes | str, form: Callable[[Blocks], bytes]) -> bytes | str:
    """Return a value in another form, where it is PEM."""
    if not isinstance(value, bytes) or not (found := blocks(value)):
        return value
    return form(found)


def with_text(found: Blocks) -> bytes:
    """Each block with text around it, as `openssl x509 -text` and `openssl pkcs12` write it."""
    return b"".join(_described(label, text) + text + b"\n" for label, text in found) + b"# end\n"


def with_crlf(found: Blocks) -> bytes:
    """Lines that end in CR LF."""
    return b"".join(text + b"\n" for _, text in found).replace(b"\n", b"\r\n")


def without_last_newline(found: Blocks) -> bytes:
    """No line's end at the end."""
    return b"\n".join(text for _, text in found)


def with_blank_lines(found: Blocks) -> bytes:
    """Blank lines before, between and behind blocks."""
    return b"\n\n" + b"\n\n".join(text + b"\n" for _, text in found) + b"\n\n\n"


def with_pkcs8_keys(found: Blocks) -> bytes:
    """Keys in PKCS#8 (RFC 5958)."""
    return b"".join(_pkcs8(text) if _is_key(label) else text + b"\n" for label, text in found)


def with_parameters(found: Blocks) -> bytes:
    """The curve's parameters before an EC key, as `openssl ecparam -genkey` writes them."""
    return b"".join(
        (_parameters(text) if label == "EC PRIVATE KEY" else b"") + text + b"\n"
        for label, text in found
    )


def _is_key(label: str) -> bool:
    return label.endswith("PRIVATE KEY")


def _described(label: str, text: bytes) -> bytes:
    if _is_key(label):
        return b"Bag Attributes\n    localKeyID: 01 02 03\nKey Attributes: <No Attributes>\n"
    leaf = x509.load_pem_x509_certificate(text + b"\n")
    subject, issuer = leaf.subject.rfc4514_string(), leaf.issuer.rfc4514_string()
    lines = (
        "Bag Attributes",
        "    friendlyName: Schlüssel für die Datenbank",
        f"subject={subject}",
        f"issuer={issuer}",
        "Certificate:",
        "    Data:",
        "        Version: 3 (0x2)",
        f"        Serial Number: {leaf.serial_number}",
        "    Signature Algorithm: ecdsa-with-SHA384",
        f"        Not Before: {leaf.not_valid_before_utc:%b %e %T %Y} GMT",
        "        X509v3 extensions:",
        "            X509v3 Key Usage: critical",
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _pkcs8(text: bytes) -> bytes:
    return encoding.private_key(text + b"\n").private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _parameters(text: bytes) -> bytes:
    key = encoding.private_key(text + b"\n")
    curve = _CURVE[key.key_size] if isinstance(key, ec.EllipticCurvePrivateKey) else b""
    return b"-----BEGIN EC PARAMETERS-----\n" + curve + b"\n-----END EC PARAMETERS-----\n"

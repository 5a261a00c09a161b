"""The platform's certificates, by the strictest verifier that its clients have."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from embedded.pki import Authority, Pair

NAMES = ("kubernetes.default.svc", "localhost", "127.0.0.1")


def handshake(pair: Pair, trusted: str, name: str, folder: Path) -> None:
    """Complete one in memory. Raises ssl.SSLCertVerificationError."""
    (folder / "crt").write_text(pair.certificate)
    (folder / "key").write_text(pair.key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "crt", folder / "key")
    asking = ssl.create_default_context(cadata=trusted)
    asking.verify_flags |= ssl.VERIFY_X509_STRICT  # Python's own default from 3.13 on
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(to_client, to_server, server_hostname=name)
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    for step in (client.do_handshake, server.do_handshake):
        with pytest.raises(ssl.SSLWantReadError):
            step()
    client.do_handshake()
    server.do_handshake()


@pytest.mark.parametrize("name", NAMES)
def test_a_strict_verifier_takes_each_name(name: str, tmp_path: Path) -> None:
    authority = Authority("test")
    handshake(authority.issue(NAMES), authority.certificate, name, tmp_path)


def test_another_name_and_another_authority_are_refused(tmp_path: Path) -> None:
    authority = Authority("test")
    pair = authority.issue(NAMES)
    for trusted, name in (
        (authority.certificate, "example.com"),
        (Authority("test").certificate, "localhost"),
    ):
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(pair, trusted, name, tmp_path)

"""Roots and leaves, with openssl's opinion of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from fixtures import certificates
from fixtures.certificates import KeyFormat, KeyKind, Validity
from reference.operator.pki import (
    Authority,
    BadAuthorityError,
    Pair,
    Profile,
    Subject,
    encoding,
    is_current,
    issue,
)
from tests.reference.operator.builders import NOW

# Left to themselves, versions of openssl write names with and without spaces.
_NAMES = ("-nameopt", "RFC2253")
OTHER = Authority.generate(NOW)
"""A root of the same name as any other that the operator makes."""
SUBJECT = Subject(common_name="c-primary.ns.svc.cluster.local", names=("c-primary.ns", "c-primary"))


def profile(root: Authority, subject: Subject = SUBJECT) -> Profile:
    return Profile(issuer=root, subject=subject)


def openssl(*arguments: str, given: bytes = b"") -> str:
    done = subprocess.run(
        ["openssl", *arguments], input=given, capture_output=True, timeout=20, check=False
    )
    return (done.stdout + done.stderr).decode()


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority.generate(NOW)


@pytest.fixture(scope="module")
def leaf(root: Authority) -> Pair:
    return issue(profile(root), NOW)


def test_openssl_verifies_a_leaf_under_its_root_only(
    root: Authority, leaf: Pair, tmp_path: Path
) -> None:
    (tmp_path / "leaf").write_bytes(leaf.certificate)
    for authority, verdict in ((root, "OK"), (OTHER, "verification failed")):
        (tmp_path / "root").write_bytes(authority.pem)
        seen = openssl("verify", "-CAfile", f"{tmp_path}/root", f"{tmp_path}/leaf")
        assert verdict in seen


def test_a_root_looks_as_the_contract_says(root: Authority) -> None:
    text = openssl("x509", "-noout", "-text", *_NAMES, given=root.pem)
    for line in (
        "Signature Algorithm: ecdsa-with-SHA384",
        "Issuer: CN=postgres-operator-ca",
        "Subject: CN=postgres-operator-ca",
        "NIST CURVE: P-256",
        "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign",
        "CA:TRUE, pathlen:0",
    ):
        assert line in text
    life = root.certificate.not_valid_after_utc - root.certificate.not_valid_before_utc
    assert life == timedelta(days=3650, hours=1)


def test_a_leaf_looks_as_the_contract_says(leaf: Pair) -> None:
    text = openssl("x509", "-noout", "-text", given=leaf.certificate)
    for line in (
        "Version: 3",
        "Signature Algorithm: ecdsa-with-SHA384",
        "NIST CURVE: P-256",
        "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment",
        "X509v3 Basic Constraints: critical\n                CA:FALSE",
        "X509v3 Authority Key Identifier",
        "DNS:c-primary.ns, DNS:c-primary",
    ):
        assert line in text
    assert "Extended Key Usage" not in text
    parsed = encoding.certificate(leaf.certificate)
    assert parsed.not_valid_before_utc == NOW - timedelta(hours=1)
    assert parsed.not_valid_after_utc == NOW + timedelta(days=365)
    assert leaf.key.startswith(b"-----BEGIN EC PRIVATE KEY-----")


def test_a_name_longer_than_64_characters_is_signed(root: Authority, tmp_path: Path) -> None:
    subject = Subject(common_name="x" * 90, names=("x",))
    made = issue(profile(root, subject), NOW)
    (tmp_path / "leaf").write_bytes(made.certificate)
    (tmp_path / "root").write_bytes(root.pem)
    assert "OK" in openssl("verify", "-CAfile", f"{tmp_path}/root", f"{tmp_path}/leaf")
    assert is_current(made, profile(root, subject), NOW)


def test_a_leaf_is_kept_until_less_than_a_third_of_its_life_is_left(
    root: Authority, leaf: Pair
) -> None:
    third = (timedelta(days=365, hours=1)) / 3
    ends = NOW + timedelta(days=365)
    assert is_current(leaf, profile(root), NOW)
    assert is_current(leaf, profile(root), ends - third - timedelta(seconds=1))
    assert not is_current(leaf, profile(root), ends - third + timedelta(seconds=1))


def test_a_leaf_that_lasts_as_long_as_its_root_is_kept_to_the_end() -> None:
    """Another would not last longer, and one would be made at every look."""
    soon = certificates.Authority.create(validity=Validity.days(2, at=NOW))
    given = Authority.load(soon.certificate_pem, soon.key_pem(), NOW)
    ends = given.certificate.not_valid_after_utc
    wanted = replace(profile(given), lifetime=ends - NOW)
    made = issue(wanted, NOW)
    assert encoding.certificate(made.certificate).not_valid_after_utc == ends
    assert is_current(made, wanted, ends - timedelta(seconds=1))
    assert not is_current(made, wanted, ends + timedelta(seconds=1))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root, leaf: (leaf, OTHER, SUBJECT),
        lambda root, leaf: (Pair(certificate=leaf.certificate, key=root.key_pem), root, SUBJECT),
        lambda root, leaf: (leaf, root, Subject(common_name="other", names=SUBJECT.names)),
        lambda root, leaf: (
            leaf,
            root,
            Subject(common_name=SUBJECT.common_name, names=SUBJECT.names[::-1]),
        ),
        lambda root, leaf: (Pair(certificate=b"", key=b""), root, SUBJECT),
        lambda root, leaf: (Pair(certificate=root.pem, key=root.key_pem), root, SUBJECT),
    ],
    ids=["another root", "key", "common name", "order of names", "nothing", "a CA"],
)
def test_a_leaf_that_differs_is_not_kept(
    root: Authority,
    leaf: Pair,
    spoil: Callable[[Authority, Pair], tuple[Pair, Authority, Subject]],
) -> None:
    pair, authority, subject = spoil(root, leaf)
    assert not is_current(pair, profile(authority, subject), NOW)


@pytest.mark.parametrize("form", KeyFormat)
@pytest.mark.parametrize("kind", [KeyKind.P384, KeyKind.RSA2048])
def test_roots_of_every_key_format_sign(kind: KeyKind, form: KeyFormat) -> None:
    given = certificates.Authority.create(
        "my root", key=kind, usages=None, identified=False, validity=Validity.days(900, at=NOW)
    )
    loaded = Authority.load(given.certificate_pem, given.key_pem(form), NOW)
    assert is_current(issue(profile(loaded), NOW), profile(loaded), NOW)


def test_a_key_behind_its_parameters_is_read() -> None:
    key = openssl("ecparam", "-name", "prime256v1", "-genkey").encode()
    assert key.startswith(b"-----BEGIN EC PARAMETERS-----")
    assert isinstance(encoding.private_key(key), ec.EllipticCurvePrivateKey)


def test_a_root_that_cannot_sign_is_refused_by_its_part(root: Authority, leaf: Pair) -> None:
    later = root.certificate.not_valid_after_utc + timedelta(days=1)
    for certificate, key, when, path, reason in (
        (b"", root.key_pem, NOW, "root.crt", "no PEM certificate"),
        (root.pem, b"x", NOW, "root.key", "no unencrypted PEM private key"),
        (root.pem, OTHER.key_pem, NOW, "root.key", "not the key"),
        (leaf.certificate, leaf.key, NOW, "root.crt", "not the certificate of a CA"),
        (root.pem, root.key_pem, later, "root.crt", "expired"),
    ):
        with pytest.raises(BadAuthorityError, match=reason) as caught:
            Authority.load(certificate, key, when)
        assert caught.value.path == path


def test_a_profile_changes_one_thing_each(root: Authority) -> None:
    short = issue(replace(profile(root), lifetime=timedelta(days=3)), NOW)
    assert encoding.certificate(short.certificate).not_valid_after_utc == NOW + timedelta(days=3)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    used = issue(replace(profile(root), extensions=(usage,)), NOW)
    assert "TLS Web Server" in openssl("x509", "-noout", "-text", given=used.certificate)
    own = ec.generate_private_key(ec.SECP256R1())
    assert issue(replace(profile(root), key=own), NOW).key == encoding.key_pem(own)

"""The operator's own look at a user's leaf comes to what OpenSSL comes to, which will serve it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from fixtures import certificates
from fixtures.certificates import (
    CLIENT_AUTH,
    SERVER_AUTH,
    Authority,
    KeyKind,
    LeafSpec,
    Validity,
    external_spec,
    verify_chain,
)
from reference.operator.pki.chain import Purpose, UnfitError, check_leaf
from tests.fixtures.certificates.cases import AGREED, DIFFERENCES, Case
from tests.properties import given, settings
from tests.properties import strategies as st

PURPOSES = {
    Purpose.SERVER: certificates.Purpose.SERVER,
    Purpose.CLIENT: certificates.Purpose.CLIENT,
}
SPEC = external_spec("cluster1", "demo")
ROOTS = [Authority.create(key=kind, path_length=None) for kind in KeyKind]


def accepted(case: Case, purpose: Purpose) -> bool:
    try:
        check_leaf(case.leaf, case.intermediates, case.roots, purpose, case.at or datetime.now(UTC))
    except UnfitError:
        return False
    return True


def openssl(case: Case, purpose: Purpose) -> bool:
    return verify_chain(
        case.leaf, case.roots, case.intermediates, case.at, purpose=PURPOSES[purpose]
    ).ok


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("name", [*AGREED, *DIFFERENCES])
def test_every_known_chain_comes_out_as_by_openssl(name: str, purpose: Purpose) -> None:
    case = AGREED[name][0]() if name in AGREED else DIFFERENCES[name].case()
    assert accepted(case, purpose) is openssl(case, purpose)


@settings(max_examples=80)
@given(
    root=st.sampled_from(ROOTS),
    purposes=st.lists(st.sampled_from([SERVER_AUTH, CLIENT_AUTH]), unique=True),
    usages=st.none()
    | st.lists(
        st.sampled_from(["digital_signature", "key_encipherment", "key_agreement", "crl_sign"]),
        min_size=1,
        unique=True,
    ),
    days=st.tuples(st.integers(-20, 20), st.integers(1, 30)),
    below=st.integers(0, 2),
    sent=st.booleans(),
    published=st.sampled_from(["root", "intermediate", "both", "another"]),
    purpose=st.sampled_from(Purpose),
)
def test_whatever_is_issued_comes_out_as_by_openssl(
    root: Authority,
    purposes: list[x509.ObjectIdentifier],
    usages: list[str] | None,
    days: tuple[int, int],
    below: int,
    sent: bool,
    published: str,
    purpose: Purpose,
) -> None:
    signer = root
    for _ in range(below):
        signer = signer.intermediate()
    now = datetime.now(UTC).replace(microsecond=0)
    begins = now + timedelta(days=days[0])
    spec = LeafSpec(
        common_name="db",
        names=SPEC.names,
        purposes=tuple(purposes),
        usages=None if usages is None else tuple(usages),
        validity=Validity(begins, begins + timedelta(days=days[1])),
    )
    pair = signer.issue(spec)
    trusted = {
        "root": (root.certificate,),
        "intermediate": (signer.certificate,),
        "both": (signer.certificate, root.certificate),
        "another": (Authority.create().certificate,),
    }[published]
    case = Case(pair.certificate, trusted, pair.chain if sent else (), now)
    assert accepted(case, purpose) is openssl(case, purpose)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"purposes": (CLIENT_AUTH,)}, "not for servers"),
        ({"validity": Validity.expired()}, "expired at"),
        ({"validity": Validity.not_yet()}, "begins at"),
    ],
)
def test_the_reason_is_told(change: dict[str, object], reason: str) -> None:
    root = Authority.create(key=KeyKind.RSA2048)
    leaf = root.issue(replace(SPEC, **change))  # type: ignore[arg-type]  # fields of it
    case = Case(leaf.certificate, (root.certificate,))
    with pytest.raises(UnfitError, match=reason):
        check_leaf(case.leaf, (), case.roots, Purpose.SERVER, datetime.now(UTC))

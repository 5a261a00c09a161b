"""Secrets of users: refused with a reason that names Secret and key, or taken as it is."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization

from fixtures import certificates as certs
from reference.operator.contract import Contract
from reference.operator.pki import Authority
from reference.operator.tls import RefusedError
from tests.reference.operator.builders import (
    NOW,
    Json,
    cluster,
    contract,
    external,
    internal,
    leaf_secret,
    lookup,
    secret,
)

ROOT, OTHER = Authority.generate(NOW), Authority.generate(NOW)
certificates = Contract().certificates
TOLERANT = (
    "missing-secret-replaced",
    "incomplete-secret-replaced",
    "differing-ca-accepted",
    "single-set-accepted",
)
BOTH = {"customTLSSecret": {"name": "tls"}, "customReplicationTLSSecret": {"name": "repl"}}


def given() -> dict[str, Json]:
    return {
        "tls": leaf_secret("tls", external(ROOT), ROOT),
        "repl": leaf_secret("repl", internal(ROOT), ROOT),
    }


def without(secrets: dict[str, Json], name: str, key: str) -> None:
    del secrets[name]["data"][key]


def exchanged(secrets: dict[str, Json], name: str, key: str) -> None:
    secrets[name]["data"][key] = leaf_secret(name, external(OTHER), OTHER)["data"][key]


@pytest.mark.parametrize("name", ["tls", "repl"])
@pytest.mark.parametrize("key", ["tls.crt", "tls.key", "ca.crt"])
def test_a_missing_key_is_named(name: str, key: str) -> None:
    secrets = given()
    without(secrets, name, key)
    with pytest.raises(RefusedError) as caught:
        certificates(cluster(secrets=BOTH), secrets.get, NOW)
    assert f"key {key} is missing in Secret {name}" in caught.value.message
    assert caught.value.reason == "TLSSecretsMissing"


@pytest.mark.parametrize("name", ["tls", "repl"])
def test_a_missing_secret_is_named(name: str) -> None:
    secrets = given()
    del secrets[name]
    with pytest.raises(RefusedError, match=f"Secret {name} is missing"):
        certificates(cluster(secrets=BOTH), secrets.get, NOW)


@pytest.mark.parametrize("field", list(BOTH))
def test_one_set_alone_is_refused(field: str) -> None:
    with pytest.raises(RefusedError, match="cannot be used alone"):
        certificates(cluster(secrets={field: BOTH[field]}), given().get, NOW)


@pytest.mark.parametrize("name", ["tls", "repl"])
def test_a_key_of_another_leaf_is_refused(name: str) -> None:
    secrets = given()
    exchanged(secrets, name, "tls.key")
    with pytest.raises(RefusedError, match=rf"key tls.key of Secret {name} is not the key"):
        certificates(cluster(secrets=BOTH), secrets.get, NOW)


def test_different_authorities_are_refused() -> None:
    secrets = given()
    exchanged(secrets, "repl", "ca.crt")
    with pytest.raises(RefusedError, match=r"Secret tls and key ca.crt of Secret repl differ"):
        certificates(cluster(secrets=BOTH), secrets.get, NOW)


GIVEN_ROOT = certs.Authority.create("company")
ISSUING = GIVEN_ROOT.intermediate()
EXTERNAL, INTERNAL = certs.external_spec("c", "ns"), certs.internal_spec()


def as_given(name: str, pair: certs.Pair, ca: bytes) -> Json:
    data = {"tls.crt": pair.certificate_pem, "tls.key": pair.key_pem(), "ca.crt": ca}
    return secret(name, data)


@pytest.mark.parametrize(
    ("external", "internal", "ca", "refused"),
    [
        (EXTERNAL, INTERNAL, b"", ""),
        (replace(EXTERNAL, key=certs.KeyKind.ED25519), INTERNAL, b"", ""),
        (
            replace(EXTERNAL, purposes=(certs.CLIENT_AUTH,)),
            INTERNAL,
            b"",
            "customTLSSecret: key tls.crt of Secret tls is not for servers",
        ),
        (
            EXTERNAL,
            replace(INTERNAL, purposes=(certs.SERVER_AUTH,)),
            b"",
            "customReplicationTLSSecret: key tls.crt of Secret repl is not for clients",
        ),
        (certs.expired(EXTERNAL), INTERNAL, b"", "key tls.crt of Secret tls expired at"),
        (EXTERNAL, certs.not_yet_valid(INTERNAL), b"", "key tls.crt of Secret repl begins at"),
        (
            EXTERNAL,
            certs.wrong_common_name(INTERNAL),
            b"",
            "key tls.crt of Secret repl has the CN 'somebody-else', which must be _crunchyrepl",
        ),
        (
            EXTERNAL,
            INTERNAL,
            certs.Authority.create("another").certificate_pem,
            "key tls.crt of Secret tls has no chain to its CA: CN=company",
        ),
        (
            EXTERNAL,
            INTERNAL,
            GIVEN_ROOT.certificate_pem.strip() + GIVEN_ROOT.certificate_pem,
            "key ca.crt of Secret tls has the mark of a PEM block not alone in line",
        ),
    ],
)
def test_a_pair_that_cannot_work_as_a_whole_is_refused_by_secret_and_key(
    external: certs.LeafSpec, internal: certs.LeafSpec, ca: bytes, refused: str
) -> None:
    published = ca or GIVEN_ROOT.certificate_pem
    secrets = {
        "tls": as_given("tls", GIVEN_ROOT.issue(external), published),
        "repl": as_given("repl", GIVEN_ROOT.issue(internal), published),
    }
    if not refused:
        assert certificates(cluster(secrets=BOTH), secrets.get, NOW).custom_leaves
        return
    with pytest.raises(RefusedError) as caught:
        certificates(cluster(secrets=BOTH), secrets.get, NOW)
    assert refused in caught.value.message


PAIR = GIVEN_ROOT.issue(EXTERNAL)


def encrypted(key_pem: bytes) -> bytes:
    key = serialization.load_pem_private_key(key_pem, None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )


@pytest.mark.parametrize(
    ("put", "refused"),
    [
        (
            {"tls.crt": PAIR.key_pem(), "tls.key": PAIR.certificate_pem},
            "key tls.crt of Secret tls holds no PEM certificate",
        ),
        (
            {"tls.crt": base64.b64encode(PAIR.certificate_pem)},
            "key tls.crt of Secret tls holds no PEM certificate",
        ),
        (
            {"tls.key": base64.b64encode(PAIR.key_pem())},
            "key tls.key of Secret tls holds no unencrypted PEM private key",
        ),
        (
            {"tls.key": encrypted(PAIR.key_pem())},
            "key tls.key of Secret tls holds no unencrypted PEM private key",
        ),
    ],
    ids=["exchanged", "a certificate in base64 twice", "a key in base64 twice", "encrypted"],
)
def test_what_is_not_what_its_key_says_is_refused(put: dict[str, bytes], refused: str) -> None:
    ca = GIVEN_ROOT.certificate_pem
    data = {"tls.crt": PAIR.certificate_pem, "tls.key": PAIR.key_pem(), "ca.crt": ca} | put
    secrets = {
        "tls": secret("tls", data),
        "repl": as_given("repl", GIVEN_ROOT.issue(INTERNAL), ca),
    }
    with pytest.raises(RefusedError) as caught:
        certificates(cluster(secrets=BOTH), secrets.get, NOW)
    assert refused in caught.value.message


@pytest.mark.parametrize(
    ("root", "spec"),
    [
        (certs.Authority.create(EXTERNAL.common_name), EXTERNAL),
        (GIVEN_ROOT, replace(EXTERNAL, names=("*.ns.svc.cluster.local", "*.ns.svc"))),
    ],
    ids=["a CA of the leaf's name", "wildcards alone"],
)
def test_a_pair_of_an_unusual_make_is_taken(root: certs.Authority, spec: certs.LeafSpec) -> None:
    secrets = {
        "tls": as_given("tls", root.issue(spec), root.certificate_pem),
        "repl": as_given("repl", root.issue(INTERNAL), root.certificate_pem),
    }
    assert certificates(cluster(secrets=BOTH), secrets.get, NOW).custom_leaves


ED_ROOT = certs.Authority.create("ed", key=certs.KeyKind.ED25519)
BEHIND = certs.pem(certs.Authority.create("older").certificate, GIVEN_ROOT.certificate)
BEFORE = certs.pem(GIVEN_ROOT.certificate, certs.Authority.create("older").certificate)


@pytest.mark.parametrize(
    ("crt", "key", "refused"),
    [
        (ED_ROOT.certificate_pem, ED_ROOT.key_pem(), "holds a key that is neither EC nor RSA"),
        (
            GIVEN_ROOT.certificate_pem,
            encrypted(GIVEN_ROOT.key_pem()),
            "holds no unencrypted PEM private key",
        ),
        (BEHIND, GIVEN_ROOT.key_pem(), "is not the key of the root certificate"),
        (BEFORE, GIVEN_ROOT.key_pem(), ""),
    ],
    ids=["Ed25519", "encrypted", "behind another", "before another"],
)
def test_a_custom_root_signs_or_is_refused_by_secret_and_key(
    crt: bytes, key: bytes, refused: str
) -> None:
    wanted = cluster(secrets={"customRootCATLSSecret": {"name": "root"}})
    there = lookup(secret("root", {"root.crt": crt, "root.key": key}))
    if not refused:
        assert certificates(wanted, there, NOW).custom_root
        return
    with pytest.raises(RefusedError) as caught:
        certificates(wanted, there, NOW)
    assert f"key root.key of Secret root {refused}" in caught.value.message


@pytest.mark.parametrize(
    ("ca", "works"),
    [
        (GIVEN_ROOT.certificate_pem, True),
        (certs.pem(ISSUING.certificate, GIVEN_ROOT.certificate), True),
        (ISSUING.certificate_pem, False),
    ],
)
def test_the_ca_of_a_chain_goes_up_to_its_root(ca: bytes, works: bool) -> None:
    secrets = {
        "tls": as_given("tls", ISSUING.issue(EXTERNAL), ca),
        "repl": as_given("repl", ISSUING.issue(INTERNAL), ca),
    }
    if works:
        assert certificates(cluster(secrets=BOTH), secrets.get, NOW).custom_leaves
        return
    with pytest.raises(RefusedError, match=r"key ca\.crt of Secret tls holds CN=conformance-inter"):
        certificates(cluster(secrets=BOTH), secrets.get, NOW)


def test_an_issuing_ca_is_no_custom_root() -> None:
    data = {"root.crt": ISSUING.certificate_pem, "root.key": ISSUING.key_pem()}
    wanted = cluster(secrets={"customRootCATLSSecret": {"name": "root"}})
    with pytest.raises(RefusedError, match=r"key root\.crt of Secret root begins with no root"):
        certificates(wanted, lookup(secret("root", data)), NOW)


def test_an_authority_is_demanded_beside_a_custom_root_too() -> None:
    secrets = given() | {"root": secret("root", {"root.crt": ROOT.pem, "root.key": ROOT.key_pem})}
    without(secrets, "repl", "ca.crt")
    wanted = cluster(secrets=BOTH | {"customRootCATLSSecret": {"name": "root"}})
    with pytest.raises(RefusedError, match=r"key ca\.crt is missing in Secret repl"):
        certificates(wanted, secrets.get, NOW)


def test_items_are_honoured_for_both_references() -> None:
    wanted = {}
    secrets = given()
    for field, ref in BOTH.items():
        items = [{"key": f"my-{path}", "path": path} for path in ("tls.crt", "tls.key", "ca.crt")]
        wanted[field] = ref | {"items": items}
        data = secrets[ref["name"]]["data"]
        secrets[ref["name"]]["data"] = {f"my-{key}": value for key, value in data.items()}
    tls = certificates(cluster(secrets=wanted), secrets.get, NOW)
    assert tls.replication is not None
    projected = tls.replication.projections("replication/")[0]["secret"]
    assert projected["name"] == "repl"
    assert {"key": "my-tls.key", "path": "replication/tls.key"} in projected["items"]


@pytest.mark.parametrize(
    ("data", "items"),
    [
        ({"root.crt": ROOT.pem, "root.key": ROOT.key_pem}, []),
        (
            {"tls.crt": ROOT.pem, "tls.key": ROOT.key_pem},
            [{"key": "tls.crt", "path": "root.crt"}, {"key": "tls.key", "path": "root.key"}],
        ),
        (
            {"ca.crt": ROOT.pem, "ca.key": ROOT.key_pem},
            [{"key": "ca.crt", "path": "root.crt"}, {"key": "ca.key", "path": "root.key"}],
        ),
    ],
    ids=["literal", "tls", "ca"],
)
def test_a_root_is_found_by_path(data: dict[str, bytes], items: list[Json]) -> None:
    wanted = cluster(secrets={"customRootCATLSSecret": {"name": "root", "items": items}})
    tls = certificates(wanted, lookup(secret("root", data)), NOW)
    assert tls.custom_root
    assert tls.authority.pem == ROOT.pem


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "Secret root is missing; create it with the keys root.crt, root.key"),
        ({"root.crt": ROOT.pem}, "key root.key is missing in Secret root"),
        (
            {"root.crt": b"x", "root.key": ROOT.key_pem},
            "key root.crt of Secret root holds no PEM certificate",
        ),
        (
            {"root.crt": ROOT.pem, "root.key": OTHER.key_pem},
            "key root.key of Secret root is not the key of the root certificate",
        ),
        (
            {"root.crt": external(ROOT).certificate, "root.key": external(ROOT).key},
            "key root.key of Secret root is not the key",
        ),
    ],
)
def test_a_root_that_cannot_sign_is_refused(data: dict[str, bytes] | None, message: str) -> None:
    wanted = cluster(secrets={"customRootCATLSSecret": {"name": "root"}})
    there = lookup(secret("root", data)) if data else lookup()
    with pytest.raises(RefusedError) as caught:
        certificates(wanted, there, NOW)
    assert message in caught.value.message


def test_a_generated_root_is_kept_and_a_broken_one_replaced() -> None:
    kept = secret("c-cluster-ca-cert", {"root.crt": ROOT.pem, "root.key": ROOT.key_pem})
    assert certificates(cluster(), lookup(kept), NOW).authority.pem == ROOT.pem
    broken = secret("c-cluster-ca-cert", {"root.crt": ROOT.pem, "root.key": OTHER.key_pem})
    assert certificates(cluster(), lookup(broken), NOW).authority.pem != ROOT.pem


@pytest.mark.parametrize(
    ("fault", "spoil", "refs"),
    [
        ("missing-secret-replaced", lambda secrets: secrets.pop("repl"), BOTH),
        ("incomplete-secret-replaced", lambda secrets: without(secrets, "tls", "ca.crt"), BOTH),
        ("differing-ca-accepted", lambda secrets: exchanged(secrets, "tls", "ca.crt"), BOTH),
        ("single-set-accepted", lambda secrets: None, {"customTLSSecret": {"name": "tls"}}),
    ],
)
def test_each_fault_tolerates_its_own_mistake_and_no_other(
    fault: str, spoil: Callable[[dict[str, Json]], object], refs: Json
) -> None:
    secrets = given()
    spoil(secrets)
    tolerant = []
    for each in TOLERANT:
        try:
            contract(each).certificates(cluster(secrets=refs), secrets.get, NOW)
        except RefusedError:
            continue
        tolerant.append(each)
    assert tolerant == [fault]

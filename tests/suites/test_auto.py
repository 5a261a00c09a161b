"""Verdicts of the checks of AUTO and CERTREQ on Secrets that are not as they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from fixtures.certificates import (
    Authority,
    expired,
    impostor,
    internal_spec,
    leaf_secret,
    not_yet_valid,
    pem,
)
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.generated.scenario import Generated
from suites import test_auto as checks
from suites import test_certreq, test_chains
from suites.breach import Breach
from tests.suites.observed import generated, inventory, judged, secrets_of

EXTERNAL, INTERNAL, CA = "one-cluster-cert", "one-replication-cert", "one-cluster-ca-cert"


@dataclass
class Neighbours:
    """Two clusters and a legacy root; `one` and `two` may be changed before they are read."""

    legacy: Authority
    one: dict[str, dict[str, bytes]]
    two: dict[str, dict[str, bytes]]

    @property
    def root_of_two(self) -> bytes:
        return self.two["two-cluster-ca-cert"]["root.crt"]

    def read(self) -> Generated:
        return generated(
            deployed=SimpleNamespace(legacy=self.legacy),
            stored=SimpleNamespace(one=inventory("one", self.one), two=inventory("two", self.two)),
            wire=SimpleNamespace(plain_handshakes={}, of_two={}),
        )


@pytest.fixture
def clusters() -> Neighbours:
    return Neighbours(Authority.create("old"), secrets_of("one"), secrets_of("two"))


def _shown(clusters: Neighbours, signer: Authority, published: Authority) -> None:
    leaf = signer.issue(internal_spec())
    clusters.one[INTERNAL] = dict(leaf_secret(leaf, published).values)


def test_clusters_with_roots_of_their_own_keep_all_promises(clusters: Neighbours) -> None:
    for check in (
        checks.test_the_keys_that_the_page_uses_are_there,
        test_chains.test_no_leaf_verifies_under_another_clusters_root,
        checks.test_the_root_is_a_root,
        checks.test_keys_belong_to_their_leaves,
    ):
        assert {one.outcome for one in judged(check, clusters.read()).elements} == {"passed"}
    judged(checks.test_both_leaf_secrets_share_the_ca, clusters.read())


@pytest.mark.parametrize("value", [b"", b"this is no certificate\n"])
@pytest.mark.parametrize("key", ["tls.crt", "tls.key", "ca.crt"])
def test_a_key_with_nothing_in_it_breaks_what_the_names_promise(
    clusters: Neighbours, key: str, value: bytes
) -> None:
    clusters.one[EXTERNAL][key] = value
    with pytest.raises(Breach, match=rf"promised key {key} with a .*; seen no .* in it"):
        judged(checks.test_the_keys_that_the_page_uses_are_there, clusters.read())


def test_a_private_key_that_is_none_is_not_that_of_the_leaf(clusters: Neighbours) -> None:
    clusters.one[EXTERNAL]["tls.key"] = b"this is no key\n"
    with pytest.raises(Breach, match="another key, or none"):
        judged(checks.test_keys_belong_to_their_leaves, clusters.read())


def test_what_needs_a_certificate_that_is_not_there_is_blocked(clusters: Neighbours) -> None:
    clusters.one[INTERNAL] |= {"ca.crt": b"", "tls.crt": b""}
    for check in (checks.test_both_leaf_secrets_share_the_ca, checks.test_the_leaves_are_two):
        with pytest.raises(Blocked, match="AUTO-2b: Secret one-replication-cert"):
            judged(check, clusters.read())


@pytest.mark.parametrize(
    "check",
    [
        checks.test_leaf_secrets_are_labelled,
        test_certreq.test_the_external_leafs_names,
        test_certreq.test_the_leaves_form,
    ],
)
def test_a_secret_that_is_not_there_blocks_what_looks_into_it(
    clusters: Neighbours, check: Callable[..., None]
) -> None:
    del clusters.one[EXTERNAL], clusters.one[INTERNAL]
    del clusters.two["two-cluster-cert"], clusters.two["two-replication-cert"]
    with pytest.raises(Blocked, match=f"AUTO-2b: Secret {EXTERNAL} does not exist"):
        judged(check, clusters.read())


@pytest.mark.parametrize(
    ("check", "secret"),
    [
        (test_certreq.test_the_external_leafs_common_name, EXTERNAL),
        (test_certreq.test_the_internal_leafs_common_name, INTERNAL),
    ],
)
def test_a_leaf_that_is_none_blocks_what_reads_its_name(
    clusters: Neighbours, check: Callable[[Generated], None], secret: str
) -> None:
    clusters.one[secret]["tls.crt"] = b"no certificate"
    with pytest.raises(Blocked, match=f"AUTO-2b: Secret {secret} has no certificate"):
        check(clusters.read())


def test_a_leaf_under_the_neighbours_root_is_a_breach_though_its_own_does_not_verify_it(
    clusters: Neighbours,
) -> None:
    two = clusters.two["two-cluster-ca-cert"]
    _shown(clusters, Authority.load(two["root.crt"], two["root.key"]), clusters.legacy)
    with pytest.raises(Breach, match="no chain to the neighbour's root"):
        judged(test_chains.test_no_leaf_verifies_under_another_clusters_root, clusters.read())


def test_a_leaf_under_the_legacy_root_is_a_breach(clusters: Neighbours) -> None:
    _shown(clusters, clusters.legacy, clusters.legacy)
    with pytest.raises(Breach, match="no chain to the legacy root"):
        judged(test_chains.test_no_leaf_verifies_under_another_clusters_root, clusters.read())


def test_a_neighbour_that_publishes_this_clusters_root_as_well_is_a_breach(
    clusters: Neighbours,
) -> None:
    clusters.two["two-cluster-ca-cert"]["root.crt"] += clusters.one[CA]["root.crt"]
    with pytest.raises(Breach, match="no chain to the neighbour's root"):
        judged(test_chains.test_no_leaf_verifies_under_another_clusters_root, clusters.read())


def test_a_leaf_that_its_own_root_does_not_verify_is_a_breach_and_blocks_what_needs_it(
    clusters: Neighbours,
) -> None:
    hidden = Authority.create("shared by all, published by none")
    _shown(clusters, hidden, hidden)
    with pytest.raises(Breach, match=r"one-replication-cert.*verify error"):
        judged(test_chains.test_leaves_verify_under_the_published_root, clusters.read())
    with pytest.raises(Blocked, match=r"AUTO-5e: .* the control"):
        judged(test_chains.test_no_leaf_verifies_under_another_clusters_root, clusters.read())


def test_a_leaf_that_calls_itself_an_authority_is_a_leaf_all_the_same(clusters: Neighbours) -> None:
    """It must not fall out of what is looked at."""
    posing = Authority.create("posing as a root")
    clusters.one[INTERNAL]["tls.crt"] = pem(posing.certificate)
    with pytest.raises(Breach, match=r"one-replication-cert, key tls\.crt.*an authority"):
        judged(test_chains.test_leaves_verify_under_the_published_root, clusters.read())
    with pytest.raises(Blocked, match=r"one-replication-cert, key tls\.crt"):
        judged(test_chains.test_no_leaf_verifies_under_another_clusters_root, clusters.read())


def test_a_namesake_of_the_root_is_another_root(clusters: Neighbours) -> None:
    root = Authority.load(clusters.one[CA]["root.crt"], clusters.one[CA]["root.key"])
    _shown(clusters, impostor(root), root)
    with pytest.raises(Breach, match="one-replication-cert"):
        judged(test_chains.test_leaves_verify_under_the_published_root, clusters.read())


def test_whether_a_leaf_is_of_the_root_is_no_matter_of_the_clock(clusters: Neighbours) -> None:
    root = Authority.load(clusters.one[CA]["root.crt"], clusters.one[CA]["root.key"])
    for spec in (expired(internal_spec()), not_yet_valid(internal_spec())):
        leaf = root.issue(spec)
        clusters.one[INTERNAL] = dict(leaf_secret(leaf, root).values)
        judged(test_chains.test_leaves_verify_under_the_published_root, clusters.read())


def test_without_a_published_root_the_check_of_leaves_is_blocked(clusters: Neighbours) -> None:
    for name in (CA, EXTERNAL):
        clusters.one[name] = {}
    for check in (
        test_chains.test_leaves_verify_under_the_published_root,
        test_chains.test_no_leaf_verifies_under_another_clusters_root,
        checks.test_the_root_is_a_root,
    ):
        with pytest.raises(Blocked, match="AUTO-2b: cluster one publishes no CA"):
            judged(check, clusters.read())


def test_a_second_root_beside_the_published_one_is_a_breach(clusters: Neighbours) -> None:
    clusters.one[CA]["root.crt"] += clusters.root_of_two
    with pytest.raises(Breach, match="2 in all"):
        judged(checks.test_the_root_is_a_root, clusters.read())


@pytest.mark.parametrize("where", [(EXTERNAL,), (INTERNAL,), (EXTERNAL, INTERNAL)])
def test_a_second_root_in_ca_crt_is_a_breach(clusters: Neighbours, where: tuple[str, ...]) -> None:
    for name in where:
        clusters.one[name]["ca.crt"] += clusters.root_of_two
    with pytest.raises(Breach, match="the same single certificate"):
        judged(checks.test_both_leaf_secrets_share_the_ca, clusters.read())


@pytest.mark.parametrize(
    ("name", "key", "broken"),
    [
        ("one-pgbouncer", "pgbouncer-frontend.ca-roots", False),
        ("one-pgbackrest", "pgbackrest.ca-roots", True),
        ("one-a-certs", "patroni.ca-roots", True),
    ],
)
def test_only_pgbouncers_roots_may_have_more_than_the_one(
    clusters: Neighbours, name: str, key: str, broken: bool
) -> None:
    for cluster, secrets in (("one", clusters.one), ("two", clusters.two)):
        root = secrets[f"{cluster}-cluster-ca-cert"]["root.crt"]
        secrets |= {
            f"{cluster}-pgbouncer": {"pgbouncer-frontend.ca-roots": root},
            f"{cluster}-pgbackrest": {"pgbackrest.ca-roots": root},
            f"{cluster}-a-certs": {"patroni.ca-roots": root},
        }
    check: Callable[..., None] = checks.test_published_roots_agree
    assert len(judged(check, clusters.read()).elements) == 8
    clusters.one[name][key] += clusters.root_of_two
    if not broken:
        judged(check, clusters.read())
        return
    with pytest.raises(Breach, match=f"{name}, key {key}"):
        judged(check, clusters.read())


def test_a_place_without_any_root_is_a_breach_of_that_place(clusters: Neighbours) -> None:
    with pytest.raises(Breach, match="no certificate") as raised:
        judged(checks.test_published_roots_agree, clusters.read())
    assert len(raised.value.differences) == 4, "pgBackRest and PgBouncer have none, of either"


def test_a_leaf_that_names_no_key_of_a_root_without_identifier_is_told(
    clusters: Neighbours,
) -> None:
    """Two things that are missing are not one and the same."""
    unidentified = Authority.create(identified=False)
    clusters.one[CA]["root.crt"] = clusters.one[EXTERNAL]["tls.crt"] = unidentified.certificate_pem
    with pytest.raises(Breach) as raised:
        judged(test_certreq.test_the_leaves_form, clusters.read())
    promises = [d.promised for d in raised.value.differences if EXTERNAL in d.where]
    assert any("authority key" in promised for promised in promises)

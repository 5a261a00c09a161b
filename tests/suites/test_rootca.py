"""Verdicts of the checks of ROOTCA on Secrets that are not as they should be, and on Pods amiss."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.certificates import Authority, Pair, Validity, internal_spec, verify_chain
from fixtures.pgcluster.cluster import Member
from fixtures.probes import Answer, TlsAccepted, TlsSession
from suites import test_rootca as checks
from suites.breach import Breach
from suites.wire import NothingKnown
from tests.suites.observed import NAMESPACE, inventory, judged

LEAVES = (
    ("cluster-cert", "tls.crt"),
    ("replication-cert", "tls.crt"),
    ("pgbackrest", "pgbackrest-client.crt"),
    ("pgbackrest", "pgbackrest-repo-host.crt"),
    ("i-certs", "dns.crt"),
    ("i-certs", "patroni.crt-combined"),
    ("i-certs", "pgbackrest-server.crt"),
)
CLUSTERS = ("first", "second")


def _leaf(root: Authority, life: Validity) -> Pair:
    return root.issue(replace(internal_spec(), validity=life))


def _secrets(cluster: str, root: Authority, life: Validity) -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    for secret, key in LEAVES:
        found.setdefault(f"{cluster}-{secret}", {})[key] = _leaf(root, life).certificate_pem
    for secret in ("cluster-cert", "replication-cert"):
        found[f"{cluster}-{secret}"]["ca.crt"] = root.certificate_pem
    found[f"{cluster}-pgbouncer"] = {"pgbouncer-frontend.ca-roots": root.certificate_pem}
    return found


def _pods(cluster: str, root: Authority, life: Validity, *roles: str) -> dict[Member, Answer]:
    """Pods that ended a handshake as they should."""
    leaf = _leaf(root, life).certificate
    tls = TlsSession(
        leaf=leaf,
        chain=(leaf,),
        version="TLSv1.3",
        cipher="c",
        verify=verify_chain(leaf, [root.certificate]),
    )
    members = [
        Member(
            f"{cluster}-{role}",
            "10.0.0.1",
            role,
            role,
            "" if role == "pgbouncer" else f"{cluster}-i",
        )
        for role in roles
    ]
    return {member: TlsAccepted(tls=tls) for member in members}


@dataclass
class Observed:
    """The scenario as its checks read it; `secrets` and Pods may be changed before."""

    root: Authority = field(default_factory=lambda: Authority.create("given"))
    life: Validity = field(default_factory=lambda: Validity.days(365))
    secrets: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    instances: dict[str, dict[Member, Answer]] = field(default_factory=dict)
    poolers: dict[str, dict[Member, Answer]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        root, life = self.root, self.life
        self.secrets = {name: _secrets(name, root, life) for name in CLUSTERS}
        self.instances = {name: _pods(name, root, life, "primary", "replica") for name in CLUSTERS}
        self.poolers = {name: _pods(name, root, life, "pgbouncer") for name in CLUSTERS}

    def read(self) -> Any:
        observed = SimpleNamespace(
            inventories={name: inventory(name, found) for name, found in self.secrets.items()},
            instances=self.instances,
            poolers=self.poolers,
        )
        deployed = SimpleNamespace(root=self.root)
        return SimpleNamespace(namespace=NAMESPACE, deployed=deployed, observed=observed)


@pytest.fixture
def seen() -> Observed:
    return Observed()


@pytest.mark.parametrize(
    "check",
    [
        checks.test_the_given_root_is_published,
        checks.test_generated_leaves_verify_under_it,
        checks.test_one_root_for_two_clusters,
    ],
)
def test_what_is_as_it_should_be_keeps_the_promise(seen: Observed, check: Any) -> None:
    assert {one.outcome for one in judged(check, seen.read()).elements} == {"passed"}


@pytest.mark.parametrize("secret", ["first-cluster-cert", "first-replication-cert"])
@pytest.mark.parametrize("beside", ["another root", "itself again", "nothing", "no PEM"])
def test_only_the_given_root_alone_is_the_published_one(
    seen: Observed, secret: str, beside: str
) -> None:
    given = seen.root.certificate_pem
    seen.secrets["first"][secret]["ca.crt"] = {
        "another root": given + Authority.create("given").certificate_pem,
        "itself again": given + given,
        "nothing": b"",
        "no PEM": b"\x30\x03",
    }[beside]
    with pytest.raises(Breach, match=f"{secret}, key ca.crt: promised the given root alone"):
        judged(checks.test_the_given_root_is_published, seen.read())


def test_a_secret_that_is_absent_publishes_no_root(seen: Observed) -> None:
    del seen.secrets["second"]["second-cluster-cert"]
    with pytest.raises(Breach, match=r"second-cluster-cert, key ca\.crt: .* seen no certificate"):
        judged(checks.test_the_given_root_is_published, seen.read())


@pytest.mark.parametrize(("secret", "key"), LEAVES)
@pytest.mark.parametrize("instead", ["nothing", "an authority", "a leaf of a namesake"])
def test_each_leaf_has_to_be_there_and_to_be_one(
    seen: Observed, secret: str, key: str, instead: str
) -> None:
    other = Authority.create("given")
    held = seen.secrets["second"][f"second-{secret}"]
    held[key] = {
        "nothing": b"",
        "an authority": seen.root.certificate_pem,
        "a leaf of a namesake": other.issue(internal_spec()).certificate_pem,
    }[instead]
    with pytest.raises(Breach, match=f"second-{secret}, key {key}: promised a leaf"):
        judged(checks.test_generated_leaves_verify_under_it, seen.read())


@pytest.mark.parametrize(("days", "kept"), [(29, True), (30, True), (31, False)])
@pytest.mark.parametrize("served", [True, False])
def test_a_leaf_may_end_with_its_root_and_no_later(days: int, served: bool, kept: bool) -> None:
    now = datetime.now(UTC)
    root = Authority.create("given", validity=Validity.days(30, at=now))
    seen = Observed(root=root, life=Validity.days(10, at=now))
    leaf = root.issue(replace(internal_spec(), validity=Validity.days(days, at=now)))
    if served:
        (member, answer), *_ = seen.poolers["second"].items()
        assert isinstance(answer, TlsAccepted)
        tls = replace(answer.tls, leaf=leaf.certificate, chain=(leaf.certificate,))
        seen.poolers["second"][member] = TlsAccepted(tls=tls)
    else:
        seen.secrets["first"]["first-pgbackrest"]["pgbackrest-client.crt"] = leaf.certificate_pem
    if kept:
        judged(checks.test_no_leaf_outlives_the_given_root, seen.read())
        return
    with pytest.raises(Breach, match="an end no later than the root's") as raised:
        judged(checks.test_no_leaf_outlives_the_given_root, seen.read())
    assert len(raised.value.differences) == 1


@pytest.mark.parametrize("role", ["replica", "pgbouncer"])
def test_a_cluster_without_one_of_its_kinds_of_pods_says_nothing(seen: Observed, role: str) -> None:
    for pods in (seen.instances["second"], seen.poolers["second"]):
        for member in [one for one in pods if one.role == role]:
            del pods[member]
    with pytest.raises(NothingKnown, match=f"cluster second has no {role}"):
        judged(checks.test_one_root_for_two_clusters, seen.read())

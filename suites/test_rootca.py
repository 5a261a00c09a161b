"""ROOTCA: a root that the user gives, and what the operator signs with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from cryptography import x509

from fixtures.certificates import der, fingerprint, is_authority, verify_chain
from fixtures.pgcluster.cluster import Member
from fixtures.pgcluster.inventory import Inventory
from fixtures.probes import Answer, handshake_done, session_of
from fixtures.scenarios.custom_root import MAPPINGS, CustomRoot
from suites.breach import EachElement, expect
from suites.requirement import requirement
from suites.wire import NothingKnown, judge, no_tls

_IN_INSTANCE_SECRETS = ("dns.crt", "patroni.crt-combined", "pgbackrest-server.crt")
_ROLES = {"primary", "replica", "pgbouncer"}


@requirement("ROOTCA-1")
def test_each_mapping_gives_a_ready_cluster(rootca: CustomRoot, each: EachElement) -> None:
    """Both mappings of the page give a ready cluster.

    tls.crt and tls.key, and ca.crt and ca.key, to root.crt and root.key, at creation. Where one
    does not become ready, a control cluster with generated certificates must have.
    """
    for name, outcome in rootca.deployed.outcomes.items():
        keys = " and ".join(MAPPINGS[name].value)
        with each(f"{keys} (cluster {name})"):
            expect(
                bool(outcome),
                where=f"cluster {rootca.namespace}/{name}",
                promised=f"ready with {keys} mapped to root.crt and root.key",
                seen=outcome.seen,
                look_at=outcome.look_at,
            )


@requirement("ROOTCA-2a")
def test_no_root_is_generated(rootca: CustomRoot, each: EachElement) -> None:
    """With a root given none is generated: CLUSTER-cluster-ca-cert does not exist.

    404 for its name after a proven reconcile.
    """
    for name, exists in rootca.observed.generated_roots.items():
        with each(f"Secret {name}-cluster-ca-cert"):
            expect(
                not exists,
                where=f"Secret {rootca.namespace}/{name}-cluster-ca-cert",
                promised="404 NotFound",
                seen="it exists",
            )


@requirement("ROOTCA-2b")
def test_the_given_root_is_published(rootca: CustomRoot, each: EachElement) -> None:
    """ca.crt of the external and the internal Secret is the given root itself, and nothing else.

    Compared byte by byte: another certificate of the same name, or of the same key, breaks it, and
    so does one beside it, for whoever has a leaf under that would be trusted, too.
    """
    root = rootca.deployed.root.certificate
    for inventory in rootca.observed.inventories.values():
        for name in (inventory.names.server_secret, inventory.names.replication_secret):
            with each(f"Secret {name}"):
                found = _stored(inventory, name, "ca.crt")
                expect(
                    [der(one) for one in found] == [der(root)],
                    where=f"Secret {rootca.namespace}/{name}, key ca.crt",
                    promised=f"the given root alone, SHA-256 {fingerprint(root)}",
                    seen=", ".join(map(fingerprint, found)) or "no certificate",
                )


@requirement("ROOTCA-2c")
def test_generated_leaves_verify_under_it(rootca: CustomRoot, each: EachElement) -> None:
    """Every leaf that the operator issues verifies under the given root, and such are served.

    External, replication, instance and both pgBackRest leaves as stored, with that root alone and
    the intermediates that stand behind the leaf: one that is absent, or is no leaf but an
    authority, breaks it. The instances' in a fresh handshake. By the servers' clock.
    """
    root, instances = rootca.deployed.root.certificate, rootca.observed.instances
    for cluster, inventory in rootca.observed.inventories.items():
        for secret, key in _leaves(inventory, instances[cluster]):
            with each(f"Secret {secret}, key {key}"):
                found = _stored(inventory, secret, key)
                seen = _not_under(root, found, inventory.read_at)
                expect(
                    not seen,
                    where=f"Secret {rootca.namespace}/{secret}, key {key}",
                    promised="a leaf that verifies under the given root",
                    seen=seen,
                )
    for answers in rootca.observed.instances.values():
        for member, answer in answers.items():
            with each(str(member)):
                _judge_verified(member, answer)


@requirement("ROOTCA-2d")
def test_pgbouncers_leaf_verifies_under_it(rootca: CustomRoot, each: EachElement) -> None:
    """PgBouncer's leaf verifies under the given root, too.

    verify-full at each PgBouncer of both clusters by its Service's name.
    """
    for cluster, answers in rootca.observed.poolers.items():
        for member, answer in answers.items():
            with each(str(member)):
                look_at = f"Secret {cluster}-pgbouncer, key pgbouncer-frontend.crt"
                _judge_verified(member, answer, look_at)


@requirement("ROOTCA-2e")
def test_the_given_secret_stays_untouched(rootca: CustomRoot, each: EachElement) -> None:
    """The operator touches the given root's Secret at no time.

    uid, resourceVersion, type, data, labels, owners and managed fields, from before the CR to the
    end of the absence window after its deletion with delete-ssl.
    """
    for name, words in rootca.deleted.touched.items():
        with each(f"Secret {name}"):
            expect(
                not words,
                where=f"Secret {rootca.namespace}/{name}",
                promised="untouched from before the CR to after its deletion",
                seen="; ".join(words),
            )


@requirement("ROOTCA-2f")
def test_no_leaf_outlives_the_given_root(rootca: CustomRoot, each: EachElement) -> None:
    """No leaf that the operator issues under the given root ends after that root does.

    The root ends in 30 days. Every leaf of both clusters as stored, and as each Pod serves it: one
    that ends later breaks it, for clients will refuse it while its dates still look well.
    """
    observed, ends = rootca.observed, rootca.deployed.root.certificate.not_valid_after_utc
    leaves = {
        f"{leaf} in {rootca.namespace}": leaf.certificate
        for inventory in observed.inventories.values()
        for leaf in inventory.leaves()
    }
    for answers in (*observed.instances.values(), *observed.poolers.values()):
        leaves |= {str(m): s.leaf for m, a in answers.items() if (s := session_of(a)) is not None}
    for place, leaf in leaves.items():
        with each(place):
            expect(
                leaf.not_valid_after_utc <= ends,
                where=place,
                promised=f"an end no later than the root's, {ends:%Y-%m-%d %H:%M}",
                seen=f"{leaf.not_valid_after_utc:%Y-%m-%d %H:%M}",
                look_at="openssl x509 -noout -enddate",
            )


@requirement("ROOTCA-5")
def test_one_root_for_two_clusters(rootca: CustomRoot, each: EachElement) -> None:
    """A client that trusts one root verifies every Pod of both clusters that stand on it.

    Each instance, and each PgBouncer by its Service's name. Each cluster must have a primary, a
    replica and a PgBouncer to look at.
    """
    observed = rootca.observed
    for cluster in MAPPINGS:
        answers = {**observed.instances[cluster], **observed.poolers[cluster]}
        with each(f"cluster {cluster}"):
            _demand_all_roles(cluster, answers)
        for member, answer in answers.items():
            with each(str(member)):
                judge(
                    answer,
                    kept=handshake_done,
                    broken=no_tls,
                    where=member,
                    promised="a leaf that verifies under the shared root",
                )


def _leaves(inventory: Inventory, instances: Iterable[Member]) -> Iterator[tuple[str, str]]:
    """Secret and key of every leaf that the operator has to issue, PgBouncer's left out."""
    names = inventory.names
    yield names.server_secret, "tls.crt"
    yield names.replication_secret, "tls.crt"
    yield names.pgbackrest_secret, "pgbackrest-client.crt"
    yield names.pgbackrest_secret, "pgbackrest-repo-host.crt"
    for member in instances:
        for key in _IN_INSTANCE_SECRETS:
            yield names.instance_secret(member.instance), key


def _stored(inventory: Inventory, secret: str, key: str) -> tuple[x509.Certificate, ...]:
    """Return the certificates under a key; none where Secret, key or certificate is absent."""
    found = inventory.secrets.get(secret)
    return found.certificates.get(key, ()) if found else ()


def _judge_verified(member: Member, answer: Answer, look_at: str = "") -> None:
    judge(
        answer,
        kept=handshake_done,
        broken=no_tls,
        where=member,
        promised="a leaf that verifies under the given root",
        look_at=look_at,
    )


def _not_under(
    root: x509.Certificate, found: tuple[x509.Certificate, ...], at: datetime | None
) -> str:
    """Return why the first certificate is no leaf under the root; empty where it is one.

    Those that stand behind it may be intermediates on its way there.
    """
    if not found:
        return "no certificate"
    if is_authority(found[0]):
        return f"an authority (CA:TRUE), SHA-256 {fingerprint(found[0])}"
    result = verify_chain(found[0], [root], found[1:], at)
    return "" if result.ok else f"verify error {result.code}: {result.message}"


def _demand_all_roles(cluster: str, answers: Mapping[Member, Answer]) -> None:
    missing = _ROLES - {member.role for member in answers}
    if missing:
        raise NothingKnown(f"cluster {cluster} has no {' and no '.join(sorted(missing))}")

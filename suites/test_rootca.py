"""ROOTCA: a root that the user gives, and what the operator signs with it."""

from __future__ import annotations

from fixtures.certificates import der, is_authority, verify_chain
from fixtures.probes import handshake_done
from fixtures.scenarios.custom_root import MAPPINGS, CustomRoot
from suites.breach import Each, expect
from suites.requirement import requirement
from suites.wire import judge, no_tls


@requirement("ROOTCA-1")
def test_each_mapping_gives_a_ready_cluster(rootca: CustomRoot, each: Each) -> None:
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
def test_no_root_is_generated(rootca: CustomRoot, each: Each) -> None:
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
def test_the_given_root_is_published(rootca: CustomRoot, each: Each) -> None:
    """ca.crt of the external and the internal Secret is the given root itself.

    Compared byte by byte: another certificate of the same name, or of the same key, breaks it.
    """
    root = rootca.deployed.root.certificate
    for inventory in rootca.observed.inventories.values():
        for name in (inventory.names.server_secret, inventory.names.replication_secret):
            with each(f"Secret {name}"):
                found = inventory.secrets[name].first("ca.crt")
                expect(
                    der(found) == der(root),
                    where=f"Secret {rootca.namespace}/{name}, key ca.crt",
                    promised=f"the given root, serial {root.serial_number:x}",
                    seen=f"serial {found.serial_number:x}",
                )


@requirement("ROOTCA-2c")
def test_generated_leaves_verify_under_it(rootca: CustomRoot, each: Each) -> None:
    """Every leaf that the operator issues verifies under the given root, and such are served.

    External, replication, instance and both pgBackRest leaves as stored, with that root alone; the
    instances' in a fresh handshake.
    """
    root = rootca.deployed.root.certificate
    for inventory in rootca.observed.inventories.values():
        pooler = inventory.names.pgbouncer_secret
        for leaf in inventory.leaves():
            if leaf.secret == pooler or is_authority(leaf.certificate):
                continue
            with each(str(leaf)):
                result = verify_chain(leaf.certificate, [root])
                expect(
                    result.ok,
                    where=f"{leaf} in {rootca.namespace}",
                    promised="a leaf that verifies under the given root",
                    seen=f"verify error {result.code}: {result.message}",
                )
    for answers in rootca.observed.instances.values():
        for member, answer in answers.items():
            with each(str(member)):
                judge(
                    answer,
                    kept=handshake_done,
                    broken=no_tls,
                    where=member,
                    promised="a leaf that verifies under the given root",
                )


@requirement("ROOTCA-2d")
def test_pgbouncers_leaf_verifies_under_it(rootca: CustomRoot, each: Each) -> None:
    """PgBouncer's leaf verifies under the given root, too.

    verify-full at each PgBouncer of the first cluster by its Service's name.
    """
    for member, answer in rootca.observed.poolers["first"].items():
        with each(str(member)):
            judge(
                answer,
                kept=handshake_done,
                broken=no_tls,
                where=member,
                promised="a leaf that verifies under the given root",
                look_at="Secret first-pgbouncer, key pgbouncer-frontend.crt",
            )


@requirement("ROOTCA-2e")
def test_the_given_secret_stays_untouched(rootca: CustomRoot, each: Each) -> None:
    """The operator touches the given root's Secret at no time.

    uid, resourceVersion, type, data, labels, owners and managed fields, from before the CR to
    after its deletion with delete-ssl.
    """
    for name, words in rootca.deleted.touched.items():
        with each(f"Secret {name}"):
            expect(
                not words,
                where=f"Secret {rootca.namespace}/{name}",
                promised="untouched from before the CR to after its deletion",
                seen="; ".join(words),
            )


@requirement("ROOTCA-5")
def test_one_root_for_two_clusters(rootca: CustomRoot, each: Each) -> None:
    """A client that trusts one root verifies every Pod of both clusters that stand on it.

    Each instance, and each PgBouncer by its Service's name.
    """
    for answers in (*rootca.observed.instances.values(), *rootca.observed.poolers.values()):
        for member, answer in answers.items():
            with each(str(member)):
                judge(
                    answer,
                    kept=handshake_done,
                    broken=no_tls,
                    where=member,
                    promised="a leaf that verifies under the shared root",
                )

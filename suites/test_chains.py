"""AUTO: chains from leaves to roots: each leaf under the root of its own cluster, and no other."""

from __future__ import annotations

from collections.abc import Mapping

from fixtures.certificates import CHAIN_ERRORS, verify_chain
from fixtures.probes import Answer, session_of
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.generated.scenario import Generated
from suites.breach import EachElement, expect
from suites.chains import Certificates, fault_of_chain
from suites.requirement import requirement
from suites.wire import NothingKnown, served_leaf


@requirement("AUTO-3a")
def test_no_leaf_verifies_under_another_clusters_root(
    generated: Generated, each: EachElement
) -> None:
    """Each cluster has a root of its own, also where a legacy root lies in the namespace.

    That one, Secret pgo-root-cacert, is what operators before 2.5 share among a namespace's
    clusters. Every leaf that was served or is stored must have no chain to the neighbour's or the
    legacy one. A leaf that verifies under either breaks it; issuers' names are not looked at. The
    control is that it verifies under its own cluster's root, which AUTO-5e promises.
    """
    one, two = generated.stored.one, generated.stored.two
    legacy = generated.deployed.legacy
    old = {"the legacy root": (legacy.certificate,)} if legacy else {}
    clusters = [
        (inventory, {"the neighbour's root": other.published.certificates, **old})
        for inventory, other in ((one, two), (two, one))
    ]
    for inventory, others in clusters:
        for leaf in inventory.leaves():
            with each(str(leaf)):
                chain = (leaf.certificate, *leaf.chain)
                _expect_no_chain(leaf, chain, inventory.published.certificates, others)
    wire = generated.wire
    for (inventory, others), served in zip(
        clusters, (wire.plain_handshakes, wire.of_two), strict=True
    ):
        for member, answer in served.items():
            with each(str(member)):
                chain = _served_chain(member, answer)
                _expect_no_chain(member, chain, inventory.published.certificates, others)


@requirement("AUTO-5e")
def test_leaves_verify_under_the_published_root(generated: Generated, each: EachElement) -> None:
    """Every leaf of a cluster, stored and served, has a chain to the root that it publishes.

    All leaves in the Secrets of both clusters, and what each Pod serves in a fresh handshake. One
    that is signed by another key than that root's breaks it, though the issuer's name be the same,
    and so does an authority in a leaf's place. Dates are not looked at.
    """
    clusters = (generated.stored.one, generated.stored.two)
    for inventory in clusters:
        for leaf in inventory.leaves():
            with each(str(leaf)):
                chain = (leaf.certificate, *leaf.chain)
                _expect_chain(leaf, chain, inventory.published.certificates)
    wire = generated.wire
    for inventory, served in zip(clusters, (wire.plain_handshakes, wire.of_two), strict=True):
        for member, answer in served.items():
            with each(str(member)):
                chain = _served_chain(member, answer)
                _expect_chain(member, chain, inventory.published.certificates)


def _served_chain(where: object, answer: Answer) -> Certificates:
    """The leaf and what was sent with it. Raises NothingKnown where no certificate was served."""
    session = session_of(answer)
    return session.chain if session and session.chain else (served_leaf(where, answer),)


def _expect_chain(where: object, chain: Certificates, roots: Certificates) -> None:
    seen = fault_of_chain(chain, roots)
    expect(
        not seen,
        where=str(where),
        promised="a leaf that verifies under the root that its cluster publishes",
        seen=f"issuer {chain[0].issuer.rfc4514_string()}, {seen}",
        look_at="openssl verify -CAfile root.crt leaf.crt",
    )


def _expect_no_chain(
    where: object, chain: Certificates, own: Certificates, others: Mapping[str, Certificates]
) -> None:
    leaf, intermediates = chain[0], chain[1:]
    results = {
        whose: verify_chain(leaf, roots, intermediates, dates=False)
        for whose, roots in others.items()
    }
    for whose, result in results.items():
        expect(
            not result.ok,
            where=str(where),
            promised=f"no chain to {whose}",
            seen=f"it verifies under {others[whose][0].subject.rfc4514_string()}",
        )
    if seen := fault_of_chain(chain, own):
        raise Blocked(f"AUTO-5e: {where} has no chain to its own root, the control: {seen}")
    for whose, result in results.items():
        if result.code not in CHAIN_ERRORS:
            raise NothingKnown(
                f"{where}: {whose} gives another error than that of the chain: {result.message}"
            )

"""CUSTOM: certificates that the user gives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509

from fixtures.certificates import fingerprint, is_authority, verify_chain
from fixtures.observing.pooler_login import PooledLogin
from fixtures.observing.streaming import Streaming
from fixtures.probes import (
    LoginOk,
    TlsSession,
    describe_answer,
    handshake_done,
    logged_in,
    session_of,
)
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.custom import EXTERNAL, INTERNAL, Custom
from fixtures.scenarios.custom_refused.scenario import CustomRefused, RunningCluster
from fixtures.scenarios.custom_refused.variants import Variant
from suites.breach import EachElement, expect
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.streaming import expect_streaming
from suites.wire import NothingKnown, judge, keep_offers, no_tls, served_leaf, turned_away


@requirement("CUSTOM-1")
def test_the_cluster_becomes_ready(custom: Custom) -> None:
    """A cluster that names both Secrets becomes ready with all its instances.

    Within the deadline `ready`. Where it does not, a control cluster with generated certificates
    must have become ready beside it; otherwise nothing is known.
    """
    seen = custom.deployed
    expect(
        bool(seen.outcome),
        where=f"cluster {custom.namespace}/given",
        promised="ready with both custom Secrets",
        seen=seen.outcome.seen,
        look_at=seen.outcome.look_at,
    )
    expect(
        seen.instances == 2,
        where=f"cluster {custom.namespace}/given",
        promised="2 instances",
        seen=str(seen.instances),
    )


@requirement("CUSTOM-6a")
def test_instances_serve_the_external_leaf(
    custom: Custom, each: EachElement, evidence: CheckEvidence
) -> None:
    """Every instance serves exactly the leaf of the external Secret.

    Fingerprints of fresh handshakes by Pod address against tls.crt. What each endpoint offers is
    kept beside it, from the versions of TLS to the CAs that it names.
    """
    keep_offers(evidence, custom.wire.offers)
    given = custom.deployed.certificates.external.certificate
    for member, answer in custom.wire.served.items():
        with each(str(member)):
            leaf = served_leaf(member, answer)
            expect(
                leaf == given,
                where=f"{member}, from pg-client",
                promised=f"the leaf of Secret {EXTERNAL}, sha256 {fingerprint(given)[:16]}",
                seen=f"{leaf.subject.rfc4514_string()}, sha256 {fingerprint(leaf)[:16]}",
                look_at="openssl s_client -starttls postgres",
            )


@requirement("CUSTOM-6b")
def test_walsenders_use_the_internal_leaf(
    custom: Custom, each: EachElement, evidence: CheckEvidence
) -> None:
    """Every replica authenticates by exactly the leaf of the internal Secret.

    client_serial and issuer_dn in the primary's pg_stat_ssl, one row for each replica.
    """
    leaf = custom.deployed.certificates.internal.certificate
    issuer = f"/CN={leaf.issuer.rfc4514_string()[3:]}"
    seen = custom.wire.streaming
    evidence.data("walsenders", seen)
    with each("one walsender for each replica"):
        expect_streaming(seen)
    for row in seen.walsenders:
        with each(f"walsender to {row.address}"):
            expect(
                row.client_serial == str(leaf.serial_number) and row.issuer_dn == issuer,
                where=f"{seen.primary}, walsender to {row.address}",
                promised=f"serial {leaf.serial_number} of issuer {issuer}: Secret {INTERNAL}",
                seen=f"serial {row.client_serial} of issuer {row.issuer_dn}",
            )


@requirement("CUSTOM-6c")
def test_no_generated_pair_beside(custom: Custom) -> None:
    """For a cluster born with both custom Secrets the generated pair is not made.

    Both names must be absent after a proven reconcile.
    """
    expect(
        not custom.wire.generated_pair,
        where=f"Secrets of cluster {custom.namespace}/given",
        promised="neither given-cluster-cert nor given-replication-cert",
        seen=", ".join(custom.wire.generated_pair),
    )


@requirement("CUSTOM-8a")
def test_pgbouncer_verifies_by_its_published_roots(custom: Custom, each: EachElement) -> None:
    """PgBouncer's leaf verifies under the roots published in its own Secret.

    verify-full at each PgBouncer with pgbouncer-frontend.ca-roots of given-pgbouncer. Custom
    Secrets of the instances do not change that. Where nothing is published, it is broken.
    """
    expect(
        bool(custom.wire.pooler_roots),
        where=f"Secret {custom.namespace}/given-pgbouncer, key pgbouncer-frontend.ca-roots",
        promised="the roots under which PgBouncer's leaf verifies",
        seen="no certificate",
    )
    for member, answer in custom.wire.pooler.items():
        with each(str(member)):
            judge(
                answer,
                kept=handshake_done,
                broken=no_tls,
                where=member,
                promised="a leaf that verifies under pgbouncer-frontend.ca-roots",
                look_at="Secret given-pgbouncer",
            )


@requirement("CUSTOM-8b")
def test_logins_through_pgbouncer(custom: Custom, evidence: CheckEvidence) -> None:
    """A login through PgBouncer works with a leaf that has the page's names.

    PgBouncer verifies the primary by its short name: the login must succeed, at its Pod and by
    psql with the user's URI, and as a control PgBouncer must refuse a primary whose leaf lacks that
    name, see CUSTOM-8d. Its log tells, for the client would only be kept waiting. A server leg that
    does not verify breaks the promise.
    """
    pooled, nameless = custom.wire.pooled, custom.wire.nameless
    evidence.data("pooled", pooled)
    evidence.data("nameless", nameless)
    where = f"{pooled.pooler}, logged in to from pg-client"
    expect(
        pooled.refusal is None,
        where=where,
        promised="a server leg that verifies the custom leaf, and a login",
        seen=pooled.seen,
        look_at="server_tls_ca_file of PgBouncer; the names in the leaf",
    )
    if not isinstance(pooled.answer, LoginOk) or not pooled.answer.rows:
        raise NothingKnown(f"{where}: {pooled.seen}")
    if not custom.wire.by_uri:
        raise Blocked("CONN-2: psql did not log in with the user's URI, which that is about")
    if isinstance(nameless, PooledLogin) and isinstance(nameless.answer, LoginOk):
        raise Blocked(f"CUSTOM-8d: the control was let in: {nameless.seen}")
    if not isinstance(nameless, PooledLogin) or nameless.refusal is None:
        raise NothingKnown(f"the control was not refused: {nameless.seen}")


@requirement("CUSTOM-8d")
def test_pgbouncer_verifies_the_primarys_name(custom: Custom) -> None:
    """PgBouncer lets nobody through to a primary whose leaf lacks the name that it goes by.

    A login to a cluster whose external leaf lacks the primary's short name must end in a line of
    PgBouncer's log that its server leg does not verify; one that gets through breaks it.
    """
    nameless = custom.wire.nameless
    if not isinstance(nameless, PooledLogin):
        raise NothingKnown(f"cluster nameless did not become ready: {nameless.seen}")
    expect(
        not isinstance(nameless.answer, LoginOk),
        where=f"{nameless.pooler}, logged in to from pg-client",
        promised="a server leg that does not verify",
        seen=nameless.seen,
        look_at="server_tls_sslmode of PgBouncer",
    )
    if nameless.refusal is None:
        raise NothingKnown(f"{nameless.pooler}: {nameless.seen}")


@requirement("CUSTOM-10")
def test_other_kinds_of_certificates_are_taken(
    custom: Custom, each: EachElement, evidence: CheckEvidence
) -> None:
    """A leaf with an RSA key, with an intermediate behind it, and a client's on P-384 are taken.

    Put into the external Secret of the live cluster: within the deadline `served-after-update` each
    instance serves that leaf, sends the intermediate with it, and a client verifies it that trusts
    the root alone. The recipe's leaves are on P-384: the external one is served, see CUSTOM-6a, and
    a login of the replication user with such an internal one must work between two on P-256; in TLS
    1.2 a server takes one curve alone.
    """
    kinds = custom.updated.kinds
    leaf, between = kinds.external.leaf, kinds.intermediate
    for member, answer in kinds.verified.items():
        session = session_of(answer)
        evidence.data(f"{member.pod}-chain", session.chain if session else answer)
        with each(f"{member}, RSA under an intermediate"):
            judge(
                answer,
                kept=handshake_done,
                broken=no_tls,
                where=member,
                promised="the RSA leaf under an intermediate, verified by the root alone",
            )
            sent = session.chain if session else ()
            expect(
                sent[:2] == (leaf, between),
                where=f"{member}, from pg-client",
                promised=f"the leaf, SHA-256 {fingerprint(leaf)[:16]}, and its intermediate",
                seen=", ".join(f"{c.subject.rfc4514_string()} {fingerprint(c)[:16]}" for c in sent),
                look_at="openssl s_client -starttls postgres -showcerts",
            )
    for member, refusal in kinds.internal.items():
        evidence.data(f"{member.pod}-client-on-P-384", refusal)
        with each(f"{member}, a client's key on P-384"):
            if not logged_in(refusal.before) or not logged_in(refusal.after):
                seen = describe_answer(refusal.before), describe_answer(refusal.after)
                raise NothingKnown(f"{member}: the controls on P-256: {'; '.join(seen)}")
            judge(
                refusal.answer,
                kept=logged_in,
                broken=turned_away,
                where=member,
                promised="a login of the replication user by a leaf on P-384",
                look_at="ssl_ecdh_curve, ssl_max_protocol_version",
            )


@requirement("CUSTOM-11a")
def test_custom_secrets_stay_untouched(custom: Custom, each: EachElement) -> None:
    """The operator touches the custom Secrets at no time: not in use, not at the deletion.

    uid, resourceVersion, type, data, labels, owners and managed fields of each, read before the
    CR, around our own update of it, and after the cluster is gone: with its last Pod gone, at the
    end of a window after a proven reconcile of another cluster.
    """
    for name, words in custom.deleted.touched.items():
        with each(f"Secret {name}"):
            expect(
                not words,
                where=f"Secret {custom.namespace}/{name}",
                promised="untouched from before the CR to after its deletion",
                seen="; ".join(words),
            )


@requirement("CUSTOM-2a")
def test_missing_parts_are_not_replaced(refused: CustomRefused, each: EachElement) -> None:
    """With a Secret or one of its keys missing the cluster runs with nothing that was not given.

    Each of the two Secrets absent, or without tls.crt, tls.key or ca.crt, the latter also beside a
    custom root. From the CR to the end of a window after a proven reconcile of a control cluster,
    whatever an instance serves, ready or not, shows to the primary or has mounted must be the
    user's: neither a generated leaf nor a generated root. One that was ready and is gone by the end
    is known by what it had mounted alone: without generated Secrets there, nothing is known.
    """
    _judge_running(refused, each, "CUSTOM-2a")


@requirement("CUSTOM-2b")
def test_corrected_secrets_are_enough(refused: CustomRefused, each: EachElement) -> None:
    """Once the Secrets are right the cluster becomes ready with them, by itself.

    Every variant of CUSTOM-2a, CUSTOM-5a and CUSTOM-5b is corrected; the CR is not touched but
    where it lacks a reference. All instances ready within the deadline `recovered`, serving the
    given leaf, and replicating by the given one.
    """
    for variant, found in refused.corrected.recovered.items():
        certificates, where = variant.certificates, f"cluster {refused.namespace}/{variant.cluster}"
        with each(f"{variant.description} (cluster {variant.cluster})"):
            if isinstance(found, Exception):
                raise found
            expect(
                bool(found.outcome),
                where=f"{where} ({variant.description}), corrected",
                promised="ready with the given certificates",
                seen=found.outcome.seen,
                look_at=found.outcome.look_at,
            )
            leaves = {served_leaf(m, answer) for m, answer in found.served.items()}
            expect(
                leaves == {certificates.external.certificate},
                where=f"{where}, its instances",
                promised="the given external leaf",
                seen=", ".join(sorted(fingerprint(leaf)[:16] for leaf in leaves)),
            )
            if found.streaming is not None:
                expect_streaming(found.streaming)
                _expect_serial(found.streaming, certificates.internal.certificate, where)


@requirement("CUSTOM-5a")
def test_a_single_set_is_not_completed(refused: CustomRefused, each: EachElement) -> None:
    """With only one of the two references the cluster runs with nothing that was not given.

    Each way, with two instances: with one most of it would not be seen.
    """
    _judge_running(refused, each, "CUSTOM-5a")


@requirement("CUSTOM-5b")
def test_two_cas_are_not_replaced(refused: CustomRefused, each: EachElement) -> None:
    """With different ca.crt in the two Secrets the cluster runs with nothing that was not given.

    Served leaves, walsenders' certificates and mounts as in CUSTOM-5a.
    """
    _judge_running(refused, each, "CUSTOM-5b")


def _judge_running(refused: CustomRefused, each: EachElement, id_: str) -> None:
    for variant, running in refused.applied.running.items():
        if variant.requirement != id_:
            continue
        where = f"cluster {refused.namespace}/{variant.cluster} ({variant.description})"
        with each(f"{variant.description} (cluster {variant.cluster})"):
            if isinstance(running, Exception):
                raise running
            served = _served(running, variant, refused.applied.looked_at)
            foreign = [*_mounted(running), *served, *_shown(running, variant)]
            expect(
                not foreign,
                where=where,
                promised="nothing but certificates of the Secrets that the CR names",
                seen="; ".join(foreign),
                look_at="Secrets of the namespace; the operator's log",
            )
            _require_all_seen(running, where, refused.applied.gaps)


def _expect_serial(seen: Streaming, leaf: x509.Certificate, where: str) -> None:
    serials = {row.client_serial for row in seen.walsenders if row.streams}
    expect(
        serials == {str(leaf.serial_number)},
        where=f"{where}, walsenders at {seen.primary}",
        promised="the given internal leaf",
        seen=", ".join(sorted(map(str, serials))),
    )


def _mounted(running: RunningCluster) -> Iterator[str]:
    for instance in running.instances:
        if instance.mounted:
            verb, secrets = "ran" if instance.gone else "runs", ", ".join(instance.mounted)
            yield f"Pod {instance.pod} {verb} with {secrets} mounted"


def _served(running: RunningCluster, variant: Variant, looked_at: datetime | None) -> Iterator[str]:
    for member, answer in running.served.items():
        session = session_of(answer)
        if session is not None and not _given(session, variant, looked_at):
            subject, issuer = session.leaf.subject, session.leaf.issuer
            yield f"{member} serves {subject.rfc4514_string()} of issuer {issuer.rfc4514_string()}"


def _shown(running: RunningCluster, variant: Variant) -> Iterator[str]:
    serials = {str(one.serial_number) for one in variant.named()}
    for row in running.walsenders:
        if row.client_serial not in serials:
            yield f"walsender to {row.address} shows {row.client_dn} of issuer {row.issuer_dn}"


def _require_all_seen(running: RunningCluster, where: str, gaps: int) -> None:
    """Raise NothingKnown where an instance ran whose leaf nobody saw, or may have run."""
    for member in running.ready:
        if session_of(answer := running.served[member]) is None:
            raise NothingKnown(f"{where}: {member}: {describe_answer(answer)}")
    if gone := [instance.pod for instance in running.instances if instance.gone]:
        raise NothingKnown(f"{where}: {', '.join(gone)} ran, and went before its leaf was seen")
    if gaps:
        raise NothingKnown(f"{where}: the watch of Pods had gaps ({gaps}), one may have run unseen")


def _given(session: TlsSession, variant: Variant, at: datetime | None) -> bool:
    leaf, between, named = session.leaf, session.chain[1:], variant.named()
    authorities = [one for one in named if is_authority(one)]
    return leaf in named or any(verify_chain(leaf, [one], between, at).ok for one in authorities)

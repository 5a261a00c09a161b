"""CUSTOM: certificates that the user gives."""

from __future__ import annotations

from fixtures.certificates import fingerprint
from fixtures.probes import LoginOk, handshake_done
from fixtures.scenarios.custom import EXTERNAL, INTERNAL, Custom
from suites.breach import Each, expect
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.wire import NothingKnown, judge, no_tls, served_leaf


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
def test_instances_serve_the_external_leaf(custom: Custom, each: Each) -> None:
    """Every instance serves exactly the leaf of the external Secret.

    Fingerprints of fresh handshakes by Pod address against tls.crt.
    """
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
    custom: Custom, each: Each, evidence: CheckEvidence
) -> None:
    """Every replica authenticates by exactly the leaf of the internal Secret.

    client_serial and issuer_dn in the primary's pg_stat_ssl, one row for each replica.
    """
    leaf = custom.deployed.certificates.internal.certificate
    issuer = f"/CN={custom.deployed.certificates.root.certificate.subject.rfc4514_string()[3:]}"
    evidence.data("walsenders", custom.wire.walsenders)
    for row in custom.wire.walsenders:
        with each(f"walsender to {row.address}"):
            expect(
                row.client_serial == str(leaf.serial_number) and row.issuer_dn == issuer,
                where=f"{custom.wire.primary}, walsender to {row.address}",
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
def test_pgbouncer_verifies_by_its_published_roots(custom: Custom, each: Each) -> None:
    """PgBouncer's leaf verifies under the roots published in its own Secret.

    verify-full at each PgBouncer with pgbouncer-frontend.ca-roots of given-pgbouncer. Custom
    Secrets of the instances do not change that.
    """
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

    PgBouncer verifies the primary by its short name: the login must succeed, and as a control
    PgBouncer must refuse a primary whose leaf lacks that name. Its log tells, for the client would
    only be kept waiting. A server leg that does not verify breaks the promise.
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
    if nameless.refusal is None:
        raise NothingKnown(f"the control was not refused: {nameless.seen}")


@requirement("CUSTOM-11a")
def test_custom_secrets_stay_untouched(custom: Custom, each: Each) -> None:
    """The operator touches the custom Secrets at no time: not in use, not at the deletion.

    uid, resourceVersion, type, data, labels, owners and managed fields of each, read before the
    CR, around our own update of it, and after the CR is gone.
    """
    for name, words in custom.deleted.touched.items():
        with each(f"Secret {name}"):
            expect(
                not words,
                where=f"Secret {custom.namespace}/{name}",
                promised="untouched from before the CR to after its deletion",
                seen="; ".join(words),
            )

"""REPL: streaming replication, and the user that it runs as."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NoReturn

from fixtures.certificates.names import REPLICATION_USER
from fixtures.pgcluster.cluster import Member
from fixtures.probes import (
    Answer,
    as_json,
    describe_answer,
    logged_in_over_tls,
    refused_by_a_rule,
    refused_by_postgres,
    refused_for_missing_client_certificate,
    refused_for_wrong_common_name,
    unknown_ca_alert,
)
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.custom import Custom
from fixtures.scenarios.custom_root import CustomRoot
from fixtures.scenarios.generated.replication_logins import (
    DOORS,
    PHYSICAL,
    POSTGRES,
    LoginTarget,
    LoginVariant,
)
from fixtures.scenarios.generated.scenario import Generated
from suites.breach import EachElement, expect
from suites.looks import if_known
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.streaming import judge_names_of_walsenders, judge_tls_of_walsenders
from suites.trust import judge_trust
from suites.wire import (
    NothingKnown,
    Predicate,
    judge,
    judge_refusal,
    no_tls,
    promised_by,
    turned_away,
)

_PROMISED = {PHYSICAL: "REPL-8", POSTGRES: "REPL-7"}
"""The requirement which promises that the right certificate, the control, gets in; where it opens
nothing, streaming is the control."""


@requirement("REPL-1")
def test_every_walsender_uses_tls(
    generated: Generated, each: EachElement, evidence: CheckEvidence
) -> None:
    """Each replica streams over TLS.

    pg_stat_ssl.ssl must be true for each row of the primary's pg_stat_replication, whatever its
    state. A row without TLS breaks it, and so do fewer that stream than there are replicas, when
    the deadline is over and the cluster ready. One that is left from before a restart does not.
    """
    seen = generated.replication.streaming
    evidence.data("walsenders", seen)
    judge_tls_of_walsenders(each, seen)


@requirement("REPL-2")
def test_walsenders_show_the_replication_certificate(
    generated: Generated, each: EachElement
) -> None:
    """Each replica authenticates by a certificate whose only common name is _crunchyrepl.

    pg_stat_ssl.client_dn of each walsender is read. No name, or another, breaks it.
    """
    judge_names_of_walsenders(each, generated.replication.streaming)


@requirement("REPL-3")
def test_no_certificate_no_login(
    generated: Generated, each: EachElement, evidence: CheckEvidence
) -> None:
    """The replication user does not get in over TLS without a certificate, wherever it asks to.

    As replication=true, and at every database both as it is and as replication=database: postgres,
    template1, the cluster's own, and one that was made later; at each address of each instance.
    FATAL 28000 from ClientAuthentication, with logins by the right certificate just before and just
    after: those for streaming, where no certificate opens a database. psql is tried at all of them,
    too: one that gets in breaks it; the words of one that does not are evidence alone.
    """
    _judge_attempt(
        generated,
        each,
        evidence,
        LoginVariant.NOTHING,
        refused_for_missing_client_certificate,
        "FATAL 28000 from ClientAuthentication",
    )
    for (member, target), result in generated.replication.by_libpq.items():
        with each(f"{member}, {target}, psql"):
            expect(
                not result.ok,
                where=f"{member}, {target} as {REPLICATION_USER} by psql, from pg-client",
                promised="no login over TLS without a certificate",
                seen="psql got in",
                look_at="pg_hba_file_rules of the instance",
            )
    words = {
        f"{member}, {target}": result.stderr
        for (member, target), result in generated.replication.by_libpq.items()
    }
    evidence.data("psql.json", words)


@requirement("REPL-4")
def test_a_certificate_of_another_ca_is_refused(
    generated: Generated, each: EachElement, evidence: CheckEvidence
) -> None:
    """A certificate that names _crunchyrepl but comes from another CA does not open the door.

    What an instance trusts is read in two ways: in its ssl_ca_file, by the server itself, and in
    the names of CAs with which it asks clients for a certificate. Any CA in either that neither is
    the root that the cluster's Secrets publish nor comes from it breaks the promise. Besides,
    certificates are tried: of a CA that nobody knows, the replication certificate of the neighbour,
    and one from a legacy root that lies in the namespace; with an operator of before 2.5, whose
    clusters share that root, the first alone. The server must end TLS with alert 48 (unknown_ca)
    or 42 (bad_certificate), or with 51 (decrypt_error) where its own CA has the same name; one that
    lets any of them in breaks it.
    """
    stored = generated.stored.one
    for member, trusted in generated.replication.trusted.items():
        evidence.data(f"{member.pod}-trusts.json", as_json(trusted))
        with each(f"{member}, the CAs that it trusts"):
            published = stored.published
            judge_trust(str(member), trusted, published.certificates, of=published)
            if trusted.named is None:
                _blame_handshakes(member, generated.wire.trusted)
    variants = [LoginVariant.FOREIGN]
    if not generated.deployed.shares_root:
        variants += [LoginVariant.NEIGHBOUR, LoginVariant.LEGACY]
    for variant in variants:
        _judge_attempt(
            generated, each, evidence, variant, unknown_ca_alert, "TLS alert 48, 42 or 51"
        )


@requirement("REPL-4", since="2.5")
def test_no_other_ca_is_trusted_beside_the_users(
    custom: Custom, rootca: CustomRoot, each: EachElement, evidence: CheckEvidence
) -> None:
    """Instances whose certificates a user gave trust that user's CA alone.

    In a cluster with both custom Secrets it is their ca.crt, and in those on a custom root that
    root. Read in the two ways of the check of generated clusters: ssl_ca_file of each instance, and
    the names of CAs with which it asks for a certificate.
    """
    given, root = custom.deployed.certificates.root, rootca.deployed.root
    looks = {
        "the custom Secrets": (given.certificate, custom.wire.trusted),
        **{
            f"Secret {cluster}-root": (root.certificate, trusted)
            for cluster, trusted in rootca.observed.trusted.items()
        },
    }
    for of, (certificate, found) in looks.items():
        for member, trusted in if_known(each, of, found).items():
            evidence.data(f"{member.pod}-trusts.json", as_json(trusted))
            with each(f"{member}, the CAs that it trusts"):
                judge_trust(str(member), trusted, (certificate,), of=of)


@requirement("REPL-5")
def test_the_replication_user_is_refused_in_plaintext(
    generated: Generated, each: EachElement, evidence: CheckEvidence
) -> None:
    """The replication user does not get in without TLS, wherever it asks to.

    For streaming and at every database of REPL-3. FATAL 28000 from ClientAuthentication
    before anything is asked; a server that goes on to authenticate breaks it.
    """
    _judge_attempt(
        generated,
        each,
        evidence,
        LoginVariant.PLAINTEXT,
        refused_by_postgres,
        "FATAL 28000 from ClientAuthentication",
    )


@requirement("REPL-6")
def test_another_common_name_is_refused(
    generated: Generated, each: EachElement, evidence: CheckEvidence
) -> None:
    """A certificate of the cluster's own CA with another common name does not open the door.

    Tried for streaming and at database postgres with the external leaf, and with one made for user
    app: FATAL 28000 from auth_failed. The external leaf is tried at every other database, too,
    where a rule may refuse it before its name is looked at.
    """
    for variant in (LoginVariant.OTHER_NAME, LoginVariant.SERVER_LEAF):
        _judge_attempt(
            generated,
            each,
            evidence,
            variant,
            refused_for_wrong_common_name,
            "FATAL 28000 from auth_failed",
        )


@requirement("REPL-7")
def test_the_right_certificate_opens_database_postgres(
    generated: Generated, each: EachElement
) -> None:
    """With its certificate the replication user may log in to database postgres, for pg_rewind.

    Nothing is written. A login that is refused by a rule, by an alert of the server or by its
    asking for a password breaks it; a Pod that does not answer says nothing.
    """
    _judge_right_certificate(generated, each, POSTGRES)


@requirement("REPL-8")
def test_the_right_certificate_opens_replication(generated: Generated, each: EachElement) -> None:
    """With its certificate the replication user gets in for replication at every instance.

    At the replicas, too, for each may be the primary tomorrow. A refusal by a rule, by an alert of
    the server or by its asking for a password breaks it; a Pod that does not answer says nothing.
    """
    _judge_right_certificate(generated, each, PHYSICAL)


def _judge_right_certificate(generated: Generated, each: EachElement, target: LoginTarget) -> None:
    for (member, login_target), by_variant in generated.replication.logins.items():
        if login_target != target:
            continue
        with each(str(member)):
            judge(
                by_variant[LoginVariant.NOTHING].before,
                kept=logged_in_over_tls,
                broken=turned_away,
                where=f"{member}, {login_target}",
                promised="a login over TLS",
                look_at="pg_hba_file_rules of the instance",
            )


def _judge_attempt(
    generated: Generated,
    each: EachElement,
    evidence: CheckEvidence,
    variant: LoginVariant,
    kept: Predicate,
    promised: str,
) -> None:
    answers = {}
    for (member, login_target), by_variant in generated.replication.logins.items():
        door = login_target in DOORS
        if variant not in by_variant and not door:
            continue
        with each(f"{member}, {login_target}, {variant}"):
            if variant not in by_variant:
                raise NothingKnown(f"{variant} was not tried: its CA's key is not to be had")
            answers[f"{member}, {login_target}"] = describe_answer(by_variant[variant].answer)
            judge_refusal(
                by_variant[variant],
                kept if door else partial(_either, kept, refused_by_a_rule),
                where=f"{member}, {login_target} as {REPLICATION_USER} with {variant}",
                promised=promised,
                look_at="pg_hba_file_rules of the instance",
                control=promised_by(_PROMISED[login_target if door else PHYSICAL]),
            )
    evidence.data(f"{variant.name.lower()}.json", answers)


def _blame_handshakes(member: Member, handshakes: Mapping[Member, Answer]) -> NoReturn:
    """Raise Blocked where an instance does not speak TLS, which AUTO-1 promises."""
    answers = [answer for at, answer in handshakes.items() if at.pod == member.pod]
    text = f"{member}: no handshake shows the CAs that it trusts: " + "; ".join(
        map(describe_answer, answers)
    )
    raise Blocked(f"AUTO-1: {text}") if any(map(no_tls, answers)) else NothingKnown(text)


def _either(kept: Predicate, other: Predicate, answer: Answer) -> bool:
    return kept(answer) or other(answer)

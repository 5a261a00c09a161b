"""REPL: streaming replication, and the user that it runs as."""

from __future__ import annotations

from fixtures.probes import (
    logged_in_over_tls,
    refused_by_postgres,
    refused_for_missing_client_certificate,
    refused_for_wrong_common_name,
    unknown_ca_alert,
)
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.generated.replication_logins import (
    REPLICATION_USER,
    LoginTarget,
    LoginVariant,
)
from fixtures.scenarios.generated.scenario import Generated
from suites.breach import EachElement, expect
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.streaming import expect_streaming
from suites.wire import NothingKnown, Predicate, judge, judge_refusal, promised_by, turned_away

_PROMISED = {LoginTarget.REPLICATION: "REPL-8", LoginTarget.POSTGRES: "REPL-7"}
"""The requirement which promises that the right certificate, the control, gets in."""


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
    for row in seen.walsenders:
        with each(f"walsender {row.pid} to {row.address}"):
            expect(
                row.ssl,
                where=f"{seen.primary}, walsender to {row.address}",
                promised="ssl is true in pg_stat_ssl",
                seen="ssl is false",
                look_at="sslmode in primary_conninfo of the replica; pg_hba_file_rules",
            )
    with each("one walsender for each replica"):
        expect_streaming(seen)


@requirement("REPL-2")
def test_walsenders_show_the_replication_certificate(
    generated: Generated, each: EachElement
) -> None:
    """Each replica authenticates by a certificate whose only common name is _crunchyrepl.

    pg_stat_ssl.client_dn of each walsender is read. No name, or another, breaks it.
    """
    seen = generated.replication.streaming
    if not seen.walsenders:
        raise Blocked("REPL-1: no replica streams, so no certificate is shown")
    for row in seen.walsenders:
        with each(f"walsender {row.pid} to {row.address}"):
            expect(
                _common_names(row.client_dn) == [REPLICATION_USER],
                where=f"{seen.primary}, walsender to {row.address}",
                promised=f"client_dn /CN={REPLICATION_USER}",
                seen=repr(row.client_dn),
            )


@requirement("REPL-3")
def test_no_certificate_no_login(generated: Generated, each: EachElement) -> None:
    """The replication user does not get in over TLS without a certificate.

    For replication and for database postgres, at each instance: FATAL 28000 from
    ClientAuthentication, with logins by the right certificate just before and just after.
    """
    _judge_attempt(
        generated,
        each,
        LoginVariant.NOTHING,
        refused_for_missing_client_certificate,
        "FATAL 28000 from ClientAuthentication",
    )


@requirement("REPL-4")
def test_a_certificate_of_another_ca_is_refused(generated: Generated, each: EachElement) -> None:
    """A certificate that names _crunchyrepl but comes from another CA does not open the door.

    Tried with a CA that nobody knows, with the replication certificate of the neighbour, and with
    one from a legacy root that lies in the namespace; with an operator of before 2.5, whose
    clusters share that root, with the first alone. The server must end TLS with alert 48
    (unknown_ca) or 42 (bad_certificate), or with 51 (decrypt_error) where its own CA has the same
    name; one that lets any of them in breaks it.
    """
    variants = [LoginVariant.FOREIGN]
    if not generated.deployed.shares_root:
        variants += [LoginVariant.NEIGHBOUR, LoginVariant.LEGACY]
    for variant in variants:
        _judge_attempt(generated, each, variant, unknown_ca_alert, "TLS alert 48, 42 or 51")


@requirement("REPL-5")
def test_the_replication_user_is_refused_in_plaintext(
    generated: Generated, each: EachElement
) -> None:
    """The replication user does not get in without TLS.

    FATAL 28000 from ClientAuthentication before anything is asked; a server that goes on to
    authenticate breaks it.
    """
    _judge_attempt(
        generated,
        each,
        LoginVariant.PLAINTEXT,
        refused_by_postgres,
        "FATAL 28000 from ClientAuthentication",
    )


@requirement("REPL-6")
def test_another_common_name_is_refused(generated: Generated, each: EachElement) -> None:
    """A certificate of the cluster's own CA with another common name does not open the door.

    Tried with the external leaf, and with one made for user app: FATAL 28000 from auth_failed.
    """
    for variant in (LoginVariant.OTHER_NAME, LoginVariant.SERVER_LEAF):
        _judge_attempt(
            generated,
            each,
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
    _judge_right_certificate(generated, each, LoginTarget.POSTGRES)


@requirement("REPL-8")
def test_the_right_certificate_opens_replication(generated: Generated, each: EachElement) -> None:
    """With its certificate the replication user gets in for replication at every instance.

    At the replicas, too, for each may be the primary tomorrow. A refusal by a rule, by an alert of
    the server or by its asking for a password breaks it; a Pod that does not answer says nothing.
    """
    _judge_right_certificate(generated, each, LoginTarget.REPLICATION)


def _judge_right_certificate(generated: Generated, each: EachElement, target: LoginTarget) -> None:
    for (member, login_target), by_variant in generated.replication.logins.items():
        if login_target is not target:
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
    generated: Generated, each: EachElement, variant: LoginVariant, kept: Predicate, promised: str
) -> None:
    for (member, login_target), by_variant in generated.replication.logins.items():
        with each(f"{member}, {login_target}, {variant}"):
            if variant not in by_variant:
                raise NothingKnown(f"{variant} was not tried: its CA's key is not to be had")
            judge_refusal(
                by_variant[variant],
                kept,
                where=f"{member}, {login_target} as {REPLICATION_USER} with {variant}",
                promised=promised,
                look_at="pg_hba_file_rules of the instance",
                control=promised_by(_PROMISED[login_target]),
            )


def _common_names(name: str | None) -> list[str]:
    """Common names of a subject in OpenSSL's one-line form, as pg_stat_ssl shows it."""
    parts = (name or "").split("/")
    return [part.removeprefix("CN=") for part in parts if part.startswith("CN=")]

"""TLSONLY: with tlsOnly there are only encrypted channels, whatever else the CR says."""

from __future__ import annotations

from collections.abc import Mapping

from fixtures.pgcluster.cluster import Member
from fixtures.pgcluster.hbarules import HbaRules
from fixtures.probes import (
    Answer,
    LoginOk,
    Refusal,
    describe_answer,
    logged_in,
    logged_in_over_tls,
    plaintext_accepted,
    plaintext_refused,
)
from fixtures.scenarios.tls_only import Closed, TlsOnly
from suites.breach import Breach, Each, expect
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.wire import NothingKnown, judge, judge_plaintext, let_in


@requirement("TLSONLY-1")
def test_control_plaintext_gets_in_by_a_users_rule(
    tlsonly: TlsOnly, evidence: CheckEvidence
) -> None:
    """Without tlsOnly a user's rule "host all all all" lets plaintext in at the primary.

    A login in plaintext, a query, and ssl false in pg_stat_ssl of its own session. It is the
    control of what follows: a refusal under tlsOnly means something only because of it.
    """
    member, answer = _at(tlsonly.opened.plaintext["host"], "primary")
    evidence.data("plaintext", answer)
    evidence.data("query-seen-on-the-network", tlsonly.opened.captured)
    judge(
        answer,
        kept=lambda a: isinstance(a, LoginOk) and bool(a.rows) and a.rows[0][0] == "false",
        broken=plaintext_refused,
        where=member,
        promised="AuthenticationOk in plaintext, and a query's answer with ssl false",
        look_at="pg_hba_file_rules of the primary",
    )
    if tlsonly.opened.captured is False:
        raise NothingKnown("the recording of the network does not show the plaintext query")


@requirement("TLSONLY-2")
def test_no_rule_admits_plaintext(tlsonly: TlsOnly, each: Each, evidence: CheckEvidence) -> None:
    """With tlsOnly no instance has a rule by which somebody gets in without TLS.

    pg_hba_file_rules of each instance is read: types host, hostnossl, hostgssenc and hostnogssenc
    may only reject. The file must be loaded and free of errors, for the view shows the file.
    """
    for kind, instances in tlsonly.closed.rules.items():
        for member, rules in instances.items():
            evidence.data(f"{member.pod}-rules", rules)
            with each(f"{member.pod} (rule {kind})"):
                _judge_rules(member, rules)


@requirement("TLSONLY-3a")
def test_the_primary_refuses_plaintext(tlsonly: TlsOnly, each: Each) -> None:
    """With tlsOnly the primary lets nobody in without TLS.

    FATAL 28000 from ClientAuthentication, while the same login over TLS succeeds just before and
    just after; without tlsOnly the same attempt was let in.
    """
    judge_plaintext(each, _of_role(tlsonly.closed.refusals["host"], "primary"))


@requirement("TLSONLY-3b")
def test_replicas_refuse_plaintext(tlsonly: TlsOnly, each: Each) -> None:
    """With tlsOnly no replica lets anybody in without TLS.

    Looked at by each Pod's own address, as a Service would hide one that is stale.
    """
    judge_plaintext(each, _of_role(tlsonly.closed.refusals["host"], "replica"))


@requirement("TLSONLY-3c")
def test_pgbouncers_refuse_plaintext(tlsonly: TlsOnly, each: Each) -> None:
    """With tlsOnly no PgBouncer lets anybody in without TLS.

    08P01 "SSL required", between two logins over TLS.
    """
    judge_plaintext(each, _of_role(tlsonly.closed.refusals["host"], "pgbouncer"))


@requirement("TLSONLY-3d")
def test_tls_clients_log_in_throughout(tlsonly: TlsOnly, each: Each) -> None:
    """Clients that use TLS log in at every Pod before, during and after the change to tlsOnly.

    While it is toggled a client at each Pod logs in ten times a second; one attempt that does not
    succeed breaks it.
    """
    for when, answers in (
        ("before", tlsonly.opened.over_tls),
        ("after", tlsonly.closed.over_tls),
    ):
        for member, answer in answers.items():
            with each(f"{member.pod}, {when}"):
                _expect_login(member, answer, when)
    for member, attempts in tlsonly.closed.during.items():
        with each(f"{member.pod}, during ({attempts.made} attempts)"):
            for answer in attempts.failed[:1]:
                _expect_login(member, answer, f"during, {len(attempts.failed)} failed")


@requirement("TLSONLY-3e")
def test_it_takes_effect_on_a_live_cluster(tlsonly: TlsOnly, each: Each) -> None:
    """Set to true on a live cluster, tlsOnly takes effect at every instance and PgBouncer.

    The primary let plaintext in before (TLSONLY-1); within the deadline `toggled` every instance
    has loaded rules that admit none, and every Pod refuses it.
    """
    member, before = _at(tlsonly.opened.plaintext["host"], "primary")
    if not logged_in(before):
        raise NothingKnown(f"{member} let no plaintext in before: {describe_answer(before)}")
    for instance, rules in tlsonly.closed.rules["host"].items():
        with each(f"{instance.pod}, rules"):
            _judge_rules(instance, rules, loaded_is_promised=True)
    judge_plaintext(each, tlsonly.closed.refusals["host"])


@requirement("TLSONLY-3f")
def test_toggling_restarts_nothing(tlsonly: TlsOnly) -> None:
    """The change to tlsOnly restarts no Pod, no container and no postmaster.

    Pod uids, restart counts, container starts and pg_postmaster_start_time() before and after.
    """
    before, after = tlsonly.closed.lives_before, tlsonly.closed.lives_after
    expect(
        before == after,
        where=f"cluster {tlsonly.namespace}/host",
        promised="the same Pods, containers and postmasters as before",
        seen=_difference(before, after),
        look_at="events of the namespace",
    )


@requirement("TLSONLY-4a")
def test_users_rules_do_not_reopen_plaintext(tlsonly: TlsOnly, each: Each) -> None:
    """A rule of the user in dynamicConfiguration does not bring plaintext back.

    host, hostnossl and hostnogssenc, each on a cluster of its own beside a hostssl rule, and each
    let plaintext in before. A login in plaintext at the primary or a replica breaks it, whatever
    the controls say.
    """
    for kind, answers in tlsonly.closed.refusals.items():
        for member, refusal in answers.items():
            if member.role == "pgbouncer":
                continue
            with each(f"{member.pod} (rule {kind})"):
                _judge_reopening(member, refusal, tlsonly.opened.plaintext[kind])


@requirement("TLSONLY-4c")
def test_pgbouncers_setting_does_not_reopen_plaintext(tlsonly: TlsOnly, each: Each) -> None:
    """client_tls_sslmode of the user does not bring plaintext back at PgBouncer.

    disable, allow and prefer, each given before tlsOnly and once more after it. A login in
    plaintext breaks it, whatever the controls say.
    """
    for when, found in (
        ("given before", tlsonly.closed.pooler_refusals),
        ("given after", tlsonly.reset.pooler_refusals),
    ):
        for mode, answers in found.items():
            for member, refusal in answers.items():
                with each(f"{member.pod} ({mode}, {when})"):
                    _judge_reopening(member, refusal, tlsonly.opened.pooler_plaintext[mode])


@requirement("TLSONLY-5a")
def test_replication_stays_encrypted(tlsonly: TlsOnly, each: Each, evidence: CheckEvidence) -> None:
    """With tlsOnly every replica streams over TLS.

    pg_stat_ssl of each walsender; where the platform can record the network, a row that was
    replicated meanwhile must not be seen on it.
    """
    seen: Closed = tlsonly.closed
    evidence.data("walsenders", seen.walsenders)
    evidence.data("marker-seen-on-the-network", seen.captured)
    with each("walsenders in pg_stat_ssl"):
        expect(
            len(seen.walsenders) == seen.replicas and all(w.ssl for w in seen.walsenders),
            where=f"{seen.primary}, pg_stat_replication",
            promised=f"{seen.replicas} walsenders, all with ssl true",
            seen=", ".join(f"{w.address} ssl {w.ssl}" for w in seen.walsenders) or "none",
            look_at="primary_conninfo of the replica",
        )
    if seen.captured is not None:
        with each("the network"):
            _expect_unseen(seen.captured, "a client's query to an instance, and a replicated row")


@requirement("TLSONLY-5b")
def test_pgbouncer_reaches_the_server_by_tls(
    tlsonly: TlsOnly, each: Each, evidence: CheckEvidence
) -> None:
    """With tlsOnly PgBouncer's own sessions with the primary use TLS.

    A query through PgBouncer asks pg_stat_ssl about the session that runs it; also where the user
    has set server_tls_sslmode to disable or prefer. Where the platform can record the network, a
    query through PgBouncer must not be seen on it.
    """
    captured = tlsonly.closed.captured_pooled
    evidence.data("query-seen-on-the-network", captured)
    for name, answer in tlsonly.closed.pooled.items():
        with each(name):
            judge(
                answer,
                kept=lambda a: isinstance(a, LoginOk) and bool(a.rows) and a.rows[0][0] == "true",
                broken=lambda a: isinstance(a, LoginOk) and bool(a.rows),
                where=f"cluster {name}, PgBouncer's session",
                promised="ssl true in pg_stat_ssl",
                look_at="server_tls_sslmode in PgBouncer's configuration",
            )
    if captured is not None:
        with each("the network"):
            _expect_unseen(captured, "a client's query through PgBouncer")


def _judge_rules(member: Member, rules: HbaRules, *, loaded_is_promised: bool = False) -> None:
    if rules.errors:
        raise NothingKnown(f"{member}: rules that cannot be read: {'; '.join(rules.errors)}")
    expect(
        not rules.admitting,
        where=f"{member}, pg_hba_file_rules",
        promised="no host, hostnossl, hostgssenc or hostnogssenc rule but reject",
        seen="; ".join(str(rule) for rule in rules.admitting),
    )
    if rules.loaded:
        return
    seen = "the file is newer than the last reload"
    if loaded_is_promised:
        promised = "rules loaded within the deadline `toggled`"
        raise Breach(where=f"{member}, pg_conf_load_time()", promised=promised, seen=seen)
    raise NothingKnown(f"{member}: {seen}, so the view does not show what is in force")


def _judge_reopening(member: Member, refusal: Refusal, before: Mapping[Member, Answer]) -> None:
    if not any(plaintext_accepted(answer) for answer in before.values()):
        raise NothingKnown(f"{member}: the setting let no plaintext in before tlsOnly either")
    judge(
        refusal.judged(),
        kept=plaintext_refused,
        broken=let_in,
        where=member,
        promised="plaintext refused as without the setting",
        look_at="pg_hba_file_rules; PgBouncer's configuration",
    )


def _expect_unseen(captured: bool, what: str) -> None:
    expect(
        not captured,
        where="the recording of the network between the Pods",
        promised=f"nothing of {what} in plaintext",
        seen="the marker in plaintext",
    )


def _expect_login(member: Member, answer: Answer, when: str) -> None:
    expect(
        logged_in_over_tls(answer),
        where=f"{member}, {when}",
        promised="a login over TLS",
        seen=describe_answer(answer),
        look_at="events of the namespace; the Pod's log",
    )


def _at(answers: Mapping[Member, Answer], role: str) -> tuple[Member, Answer]:
    return next((member, answer) for member, answer in answers.items() if member.role == role)


def _of_role(refusals: Mapping[Member, Refusal], role: str) -> Mapping[Member, Refusal]:
    return {member: refusal for member, refusal in refusals.items() if member.role == role}


def _difference(before: object, after: object) -> str:
    return f"before {before}; after {after}"

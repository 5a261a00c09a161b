"""TLSONLY: with tlsOnly there are only encrypted channels, whatever else the CR says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from fixtures.observing.settling import known
from fixtures.observing.streaming import Streaming
from fixtures.pgcluster.cluster import Member
from fixtures.pgcluster.restartmarkers import RestartMarkers
from fixtures.probes import (
    Answer,
    ErrorResponse,
    Refusal,
    describe_answer,
    logged_in_over_tls,
    plaintext_refused,
)
from fixtures.probes.predicates import INVALID_PASSWORD
from fixtures.scenarios.tls_only.channels import session_is_plain
from fixtures.scenarios.tls_only.enforcement import InForce
from fixtures.scenarios.tls_only.repeated_logins import LoginAttempts, says_nothing
from fixtures.scenarios.tls_only.scenario import CLIENT_MODES, TlsOnly
from suites.breach import EachElement, expect
from suites.lives import judge_lives
from suites.looks import if_known
from suites.plugin.checks import CheckEvidence
from suites.pooling import breaks_pooling, judge_by_address, judge_server_leg
from suites.reopening import LOGS_IN, judge_reopening, require_plaintext
from suites.requirement import requirement
from suites.rules import expect_none_admits, judge_change, judge_rules
from suites.wire import (
    NothingKnown,
    judge,
    judge_plaintext,
    keep_offers,
)

T = TypeVar("T")

_LATER: Mapping[str, Callable[[TlsOnly], InForce]] = {
    "after-a-reconcile": lambda tlsonly: known(tlsonly.tls_enforced.afterwards),
    "at-the-end": lambda tlsonly: known(tlsonly.settings_repeated.at_the_end["plain"]),
}
"""Looks at the cluster that is toggled after further proven reconciles, by when they are taken."""
_AT_THE_END = "at-the-end"


@requirement("TLSONLY-1")
def test_control_plaintext_gets_in_by_a_users_rule(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """Without tlsOnly a user's rule "host all all all" lets plaintext in at the primary.

    So do hostnossl and hostnogssenc. A login in plaintext, a query, and ssl false in pg_stat_ssl of
    its own session: only because of it does a refusal under tlsOnly say anything.
    """
    evidence.data("query-seen-on-the-network", tlsonly.tls_optional.captured)
    for kind, answers in tlsonly.tls_optional.plaintext.items():
        evidence.data(f"plaintext-{kind}", answers)
        with each(f"the primary (rules {kind})"):
            member, answer = _at(known(answers), "primary")
            judge(
                answer,
                kept=session_is_plain,
                broken=plaintext_refused,
                where=member,
                promised="AuthenticationOk in plaintext, and a query's answer with ssl false",
                look_at="pg_hba_file_rules of the primary",
            )
    if tlsonly.tls_optional.captured is False:
        raise NothingKnown("the recording of the network does not show the plaintext query")


@requirement("TLSONLY-2")
def test_no_rule_admits_plaintext(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With tlsOnly no instance has a rule by which somebody gets in without TLS.

    Looked at in a cluster that was created with tlsOnly and in one that was toggled, neither of
    which has rules of the user: what is there the operator wrote. Of the user's rules hostgssenc
    is looked at here, which no login without TLS can show; the others by TLSONLY-4a.
    pg_hba_file_rules of each instance is read, once more after a further proven reconcile, and at
    the end: types host, hostnossl, hostgssenc and hostnogssenc may only reject. The file must be
    loaded and free of errors, for the view shows the file.
    """
    for member, rules in tlsonly.created.rules.items():
        evidence.data(f"{member.pod}-rules", rules)
        with each(member.pod):
            judge_rules(member, rules)
    for when, look in (*_LATER.items(), (_AT_THE_END, _born_at_the_end)):
        with each(f"a cluster, {when}"):
            for member, rules in look(tlsonly).rules.items():
                evidence.data(f"{member.pod}-rules-{when}", rules)
                with each(f"{member.pod}, {when}"):
                    judge_rules(member, rules, loaded_is_promised=True)
    with each("hostgssenc of the user"):
        for member, rules in known(tlsonly.settings_repeated.at_the_end["host"]).rules.items():
            with each(f"{member.pod}, hostgssenc"):
                kept = [rule for rule in rules.admitting if rule.type == "hostgssenc"]
                expect_none_admits(member, kept)


@requirement("TLSONLY-3a")
def test_the_primary_refuses_plaintext(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With tlsOnly the primary lets nobody in without TLS.

    In a cluster that was created with tlsOnly: FATAL 28000 from ClientAuthentication, while the
    same login over TLS succeeds just before and just after; again at the end, after a further
    proven reconcile. TLSONLY-1 shows that such an attempt gets in where it may; without
    that nothing is known. What each endpoint offers is kept, here and in -3b and -3c.
    """
    _judge_role(tlsonly, each, evidence, "primary")
    with each("the control, TLSONLY-1"):
        require_plaintext(tlsonly)


@requirement("TLSONLY-3b")
def test_replicas_refuse_plaintext(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With tlsOnly no replica lets anybody in without TLS.

    In a cluster that was created with tlsOnly, by each Pod's own address, as a Service would hide
    one that is stale; again at the end, after a further proven reconcile.
    """
    _judge_role(tlsonly, each, evidence, "replica")


@requirement("TLSONLY-3c")
def test_pgbouncers_refuse_plaintext(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With tlsOnly no PgBouncer lets anybody in without TLS.

    In a cluster that was created with tlsOnly: 08P01 "SSL required", between two logins over TLS;
    again at the end, after a further proven reconcile.
    """
    _judge_role(tlsonly, each, evidence, "pgbouncer")


@requirement("TLSONLY-3d")
def test_tls_clients_log_in_throughout(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """Clients that use TLS log in at every Pod before, during and after the change to tlsOnly.

    While it is toggled a client at each Pod logs in again 0.1 s after its last attempt; one that
    is refused, or finds the port closed, breaks it. What was lost on our own side of the way, or
    had no answer in 10 s, is not counted; where half of the attempts were lost, or all for more
    than 30 s, nothing is known; nor where some failed and Pods of a cluster that was left alone
    restarted meanwhile, too.
    """
    for when, answers in (
        ("before", tlsonly.tls_optional.over_tls),
        ("after", tlsonly.tls_enforced.over_tls),
    ):
        for member, answer in if_known(each, when, answers).items():
            with each(f"{member.pod}, {when}"):
                _judge_login(member, answer, when)
    after = tlsonly.tls_enforced.markers_after
    for member, attempts in tlsonly.tls_enforced.during.items():
        evidence.data(f"{member.pod}-during", attempts)
        with each(f"{member.pod}, during ({attempts.made} attempts)"):
            if attempts.failed and (anyway := known(tlsonly.settings_repeated.left_alone)):
                raise NothingKnown(f"{member}: in a cluster left alone {'; '.join(anyway)}")
            if attempts.failed and (cause := known(after).causes.get(member.pod)):
                raise NothingKnown(f"{member} was away, and not by the operator: {cause}")
            judge_attempts(member, attempts)


@requirement("TLSONLY-3e")
def test_it_takes_effect_on_a_live_cluster(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """Set to true on a live cluster, tlsOnly takes effect at every instance and PgBouncer.

    In a cluster without rules of the user, in which it was false for a while: within the deadline
    `toggled`, from the change of the CR on, every instance has loaded rules that are other than
    they were and admit no plaintext, and every Pod refuses it; so still after a further proven
    reconcile, and at the end. TLSONLY-1 is the control that plaintext can get in at all.
    """
    before = {member.pod: rules for member, rules in tlsonly.tls_optional.rules.items()}
    created = {member.role: rules for member, rules in tlsonly.created.rules.items()}
    for member, rules in if_known(each, "rules", tlsonly.tls_enforced.rules).items():
        evidence.data(f"{member.pod}-rules", rules)
        with each(f"{member.pod}, rules"):
            judge_rules(member, rules, loaded_is_promised=True)
            judge_change(member, rules, before[member.pod], created[member.role])
    refusals = if_known(each, "plaintext", tlsonly.tls_enforced.refusals)
    judge_plaintext(each, refusals, control=LOGS_IN)
    for when, look in _LATER.items():
        with each(f"cluster plain, {when}"):
            later = look(tlsonly)
            for member, rules in later.rules.items():
                with each(f"{member.pod}, rules, {when}"):
                    judge_rules(member, rules, loaded_is_promised=True)
            judge_plaintext(each, later.refusals, when, control=LOGS_IN)
    with each("the control, TLSONLY-1"):
        require_plaintext(tlsonly)


@requirement("TLSONLY-3f")
def test_toggling_restarts_nothing(tlsonly: TlsOnly, each: EachElement) -> None:
    """The change to tlsOnly restarts no Pod, no container and no postmaster.

    Pod uids, restart counts, container starts and pg_postmaster_start_time() before the change and
    after a proven reconcile; those of the instances once more at the end of the deadline
    `restart-window`, which begins with the change. Where Pods also restarted meanwhile in a
    cluster that was left alone, nothing is known; nor where status, events or Patroni's log name
    another's doing for each restart.
    """
    before = tlsonly.tls_enforced.markers_before
    with each("after a reconcile"):
        _judge_lives(tlsonly, before, known(tlsonly.tls_enforced.markers_after))
    with each("at the end of the window"):
        # What else was set since then concerns PgBouncer.
        instances = frozenset(pod for pod, _ in before.postmasters)
        lives = known(tlsonly.settings_repeated.lives)
        _judge_lives(tlsonly, before.of(instances), lives.of(instances))


@requirement("TLSONLY-4a")
def test_users_rules_do_not_reopen_plaintext(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """A rule of the user in dynamicConfiguration does not bring plaintext back.

    Rules of types host, hostnossl, hostnogssenc and hostgssenc on three clusters, each beside a
    hostssl rule; with addresses all, CIDR of IPv4 and IPv6, address and mask, samenet, samehost, a
    host name and a domain; for all and for single databases, users and roles. The first of each
    cluster let plaintext in before. A login in plaintext at the primary or a replica breaks it,
    whatever the controls say, and so does a rule that would let one in, as they are at the end,
    after a further proven reconcile. One of the clusters is toggled, and there and back before,
    while its replica starts again and its reconciles are forced many times a second.
    """
    evidence.data("forced-reconciles", tlsonly.tls_enforced.forced)
    for kind, answers in tlsonly.tls_enforced.reopening.items():
        for member, refusal in if_known(each, f"rules {kind}", answers).items():
            with each(f"{member.pod} (rules {kind})"):
                judge_reopening(member, refusal, tlsonly.tls_optional.plaintext[kind], "TLSONLY-1")
        with each(f"cluster {kind}, {_AT_THE_END}"):
            for member, rules in known(tlsonly.settings_repeated.at_the_end[kind]).rules.items():
                evidence.data(f"{member.pod}-rules", rules)
                with each(f"{member.pod}, rules, {_AT_THE_END}"):
                    judge_rules(member, rules)


@requirement("TLSONLY-4c")
def test_pgbouncers_setting_does_not_reopen_plaintext(tlsonly: TlsOnly, each: EachElement) -> None:
    """client_tls_sslmode of the user does not bring plaintext back at PgBouncer.

    disable, allow and prefer, each given before tlsOnly and once more after it. It is looked at
    once PgBouncer has read it: a harmless setting that is given along shows in the sessions that
    it makes; where it does not show, at the end of the deadline `served-after-update`. Then once
    more after a further proven reconcile. A login in plaintext breaks it, whatever the controls
    say.
    """
    given, again = CLIENT_MODES, tlsonly.settings_repeated.modes
    for when, modes, found in (
        ("given before", given, tlsonly.tls_enforced.pooler_reopening),
        ("given after", again, tlsonly.settings_repeated.pooler_reopening),
        (f"given after, {_AT_THE_END}", again, _poolers(tlsonly.settings_repeated.at_the_end)),
    ):
        for kind, mode in modes.items():
            for member, refusal in if_known(each, f"{mode}, {when}", found[kind]).items():
                with each(f"{member.pod} ({mode}, {when})"):
                    before = tlsonly.tls_optional.pooler_plaintext[mode]
                    judge_reopening(member, refusal, before, "TLSONLY-8")


@requirement("TLSONLY-5a")
def test_replication_stays_encrypted(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With tlsOnly every replica streams over TLS.

    pg_stat_ssl of each walsender, once each replica has received a row that was written meanwhile,
    and at the end after a further proven reconcile, there in a cluster created with tlsOnly too;
    a replica that has not by the deadline `ready`, in a cluster that says it is, does not stream.
    Where the platform can record the network, the row must not be seen on it.
    """
    tls_enforced = tlsonly.tls_enforced
    evidence.data("delivery", tls_enforced.delivery)
    evidence.data("marker-seen-on-the-network", tls_enforced.captured)
    with each("walsenders"):
        _judge_walsenders(each, known(tls_enforced.delivery).streaming)
    for name, later in tlsonly.settings_repeated.streaming.items():
        evidence.data(f"{name}-{_AT_THE_END}", later)
        with each(f"cluster {name}, {_AT_THE_END}"):
            _judge_walsenders(each, known(later))
    with each("a row received by each replica"):
        delivery = known(tls_enforced.delivery)
        seen = delivery.streaming
        if not delivery.received and not delivery.ready:
            raise NothingKnown(f"{delivery.ready.expected} is not, so replicas may be away")
        expect(
            delivery.received,
            where=f"{seen.primary}, pg_stat_replication",
            promised=f"{seen.replicas} walsenders that stream what is written",
            seen=str(seen),
            look_at="the replica's log; primary_conninfo and the primary's rules",
        )
    if tls_enforced.captured is not None:
        with each("the network"):
            _expect_unseen(
                tls_enforced.captured, "a client's query to an instance, or a replicated row"
            )
            if not known(tls_enforced.delivery).received:
                raise NothingKnown("the row did not reach every replica while it was recorded")


@requirement("TLSONLY-5b")
def test_pgbouncer_reaches_the_server_by_tls(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With tlsOnly PgBouncer's own sessions with the primary use TLS, and verify it by name.

    A query through PgBouncer asks pg_stat_ssl about the session that runs it; also while the user
    has set server_tls_sslmode to disable or prefer, once PgBouncer has read it as in TLSONLY-4c,
    beside a rule of the user that would let PgBouncer in without TLS. Where pooling merely breaks
    by the setting no session was plain: the promise is kept, and the evidence says so. Without the
    setting, a database of PgBouncer's at the primary's address is refused, for no leaf has an
    address; with require or verify-ca, where verify-full is promised, PgBouncer would log in.
    Where the platform can record the network, a query through PgBouncer must not be seen on it.
    """
    tls_enforced, settings_repeated = tlsonly.tls_enforced, tlsonly.settings_repeated
    evidence.data("query-seen-on-the-network", tls_enforced.captured_pooled)
    for when, answers in (
        ("no setting, before", tls_enforced.pooled),
        *(
            (f"no setting, later, {c}", found)
            for c, found in settings_repeated.pooled_later.items()
        ),
        ("no setting, after one", settings_repeated.pooled_again),
    ):
        for member, answer in if_known(each, when, answers).items():
            evidence.data(f"{member.pod}-{when}", answer)
            with each(f"{member.pod}, {when}"):
                judge_server_leg(member, when, answer)
    for mode, answers in settings_repeated.pooled.items():
        for member, answer in if_known(each, f"server_tls_sslmode {mode}", answers).items():
            evidence.data(f"{member.pod}-server_tls_sslmode {mode}", answer)
            with each(f"{member.pod}, server_tls_sslmode {mode}"):
                after = known(settings_repeated.pooled_again).get(member)
                if breaks_pooling(answer, after):
                    remark = f"{mode} breaks pooling ({describe_answer(answer)}), none is plain"
                    evidence.text(f"{member.pod}-{mode}-remark.txt", remark)
                else:
                    judge_server_leg(member, f"server_tls_sslmode {mode}", answer)
    with each("by the primary's address"):
        for login in known(settings_repeated.by_address):
            evidence.data(f"{login.pooler.pod}-by-address", login)
            with each(f"{login.pooler.pod}, by the primary's address"):
                judge_by_address(login)
    if tls_enforced.captured_pooled is not None:
        with each("the network"):
            _expect_unseen(tls_enforced.captured_pooled, "a client's query through PgBouncer")


def judge_attempts(member: Member, attempts: LoginAttempts) -> None:
    """One client's attempts while tlsOnly was toggled."""
    for answer in attempts.failed[:1]:
        _judge_login(member, answer, f"during, {len(attempts.failed)} failed")
    if not attempts.saw_enough:
        last = describe_answer(attempts.last_lost) if attempts.last_lost else "none"
        raise NothingKnown(
            f"{member}: {attempts.made} attempts told something and {attempts.lost} did not,"
            f" {attempts.blind_seconds:.0f} s at the longest; the last: {last}"
        )


def _judge_walsenders(each: EachElement, seen: Streaming) -> None:
    for row in seen.walsenders:
        with each(f"walsender {row.pid} to {row.address}"):
            expect(
                row.ssl,
                where=f"{seen.primary}, pg_stat_replication",
                promised="ssl true in pg_stat_ssl",
                seen=str(row),
                look_at="sslmode in primary_conninfo of the replica",
            )


def _judge_lives(tlsonly: TlsOnly, before: RestartMarkers, after: RestartMarkers) -> None:
    where, anyway = f"cluster {tlsonly.namespace}/plain", tlsonly.settings_repeated.left_alone
    judge_lives(where, before, after, anyway=known(anyway))


def _judge_role(tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence, role: str) -> None:
    """Judge the answers to plaintext of the cluster created with tlsOnly, each time."""
    keep_offers(evidence, _of_role(tlsonly.created.offers, role))
    judge_plaintext(each, _of_role(tlsonly.created.refusals, role), control=LOGS_IN)
    with each(f"cluster born, {_AT_THE_END}"):
        later = _born_at_the_end(tlsonly)
        judge_plaintext(each, _of_role(later.refusals, role), _AT_THE_END, control=LOGS_IN)


def _born_at_the_end(tlsonly: TlsOnly) -> InForce:
    return known(tlsonly.settings_repeated.at_the_end["born"])


def _poolers(
    found: Mapping[str, InForce | Exception],
) -> Mapping[str, Mapping[Member, Refusal] | Exception]:
    return {
        name: last if isinstance(last, Exception) else _of_role(last.refusals, "pgbouncer")
        for name, last in found.items()
    }


def _expect_unseen(captured: bool, what: str) -> None:
    expect(
        not captured,
        where="the recording of the network between the Pods",
        promised=f"nothing of {what} in plaintext",
        seen="the marker in plaintext",
    )


def _judge_login(member: Member, answer: Answer, when: str) -> None:
    judge(
        answer,
        kept=logged_in_over_tls,
        broken=lambda a: not (says_nothing(a) or _is_wrong_credential(a)),
        where=f"{member}, {when}",
        promised="a login over TLS",
        look_at="events of the namespace; the Pod's log",
    )


def _is_wrong_credential(answer: Answer) -> bool:
    """Return whether the password was refused: TLS stood, and the credential is another matter."""
    return (
        isinstance(answer, ErrorResponse)
        and answer.tls is not None
        and answer.sqlstate == INVALID_PASSWORD
    )


def _at(answers: Mapping[Member, Answer], role: str) -> tuple[Member, Answer]:
    return next((member, answer) for member, answer in answers.items() if member.role == role)


def _of_role(found: Mapping[Member, T], role: str) -> Mapping[Member, T]:
    return {member: one for member, one in found.items() if member.role == role}

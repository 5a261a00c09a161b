"""TLSONLY: what refusals under tlsOnly are compared with, where that is promised itself."""

from __future__ import annotations

from collections.abc import Iterator

from fixtures.pgcluster.cluster import Member
from fixtures.probes import Answer, describe_answer, plaintext_accepted, plaintext_refused
from fixtures.scenarios.tls_only.scenario import TlsOnly
from fixtures.scenarios.tls_only.user_rules import USER_RULES
from suites.breach import EachElement, expect
from suites.looks import if_known
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.rules import expect_users_rules
from suites.wire import judge, turned_away


@requirement("TLSONLY-3d")
def test_tls_clients_log_in_whatever_rules_there_are(tlsonly: TlsOnly, each: EachElement) -> None:
    """Under tlsOnly a user's own rules and settings keep no client out that uses TLS.

    The logins over TLS just before and just after each attempt in plaintext, in every cluster: one
    that the server refuses, or whose leaf does not verify, breaks it. One that had no answer says
    nothing here; it makes an error of what it is the control of.
    """
    for place, member, answer in _controls(tlsonly, each):
        with each(f"{member.pod} ({place})"):
            expect(
                not turned_away(answer),
                where=f"{member}, from pg-client",
                promised="a login over TLS",
                seen=describe_answer(answer),
                look_at="pg_hba_file_rules of the instance; PgBouncer's configuration",
            )


@requirement("TLSONLY-1")
def test_control_users_rules_stand_in_the_file(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """Without tlsOnly each rule of the user stands in pg_hba_file_rules of every instance.

    By type and address, of whatever form: all, CIDR and mask of IPv4 and IPv6, samenet, samehost, a
    name. It is the control of TLSONLY-4a, where most of them stand behind one that matches first.
    """
    for kind, found in tlsonly.tls_optional.user_rules.items():
        for member, rules in if_known(each, f"rules {kind}", found).items():
            evidence.data(f"{member.pod}-rules", rules)
            with each(f"{member.pod} (rules {kind})"):
                expect_users_rules(member, rules, USER_RULES[kind])


@requirement("TLSONLY-8")
def test_control_plaintext_gets_in_by_pgbouncers_setting(
    tlsonly: TlsOnly, each: EachElement
) -> None:
    """Without tlsOnly the user's client_tls_sslmode lets plaintext in at PgBouncer.

    disable, allow and prefer. It is the control of TLSONLY-4c.
    """
    for mode, answers in tlsonly.tls_optional.pooler_plaintext.items():
        for member, answer in if_known(each, mode, answers).items():
            with each(f"{member.pod} ({mode})"):
                judge(
                    answer,
                    kept=plaintext_accepted,
                    broken=plaintext_refused,
                    where=member,
                    promised=f"plaintext let in by client_tls_sslmode {mode}",
                    look_at="PgBouncer's configuration",
                )


@requirement("TLSONLY-7")
def test_a_cluster_created_with_tls_only_becomes_ready(tlsonly: TlsOnly) -> None:
    """A cluster that is created with tlsOnly becomes ready, with all its instances.

    Within the deadline `ready`. Where it does not, a control cluster without tlsOnly must have
    become ready beside it; otherwise nothing is known.
    """
    outcome = tlsonly.deployed
    expect(
        bool(outcome),
        where=f"cluster {tlsonly.namespace}/born",
        promised="ready with tlsOnly",
        seen=outcome.seen,
        look_at=outcome.look_at,
    )


def _controls(tlsonly: TlsOnly, each: EachElement) -> Iterator[tuple[str, Member, Answer]]:
    enforced, repeated = tlsonly.tls_enforced, tlsonly.settings_repeated
    looks = {
        "created with tlsOnly": tlsonly.created.refusals,
        "toggled": enforced.refusals,
        **{f"rules {kind}": found for kind, found in enforced.reopening.items()},
        **{f"setting of {kind}": found for kind, found in enforced.pooler_reopening.items()},
        **{
            f"{name}, at the end": last if isinstance(last, Exception) else last.refusals
            for name, last in repeated.at_the_end.items()
        },
    }
    for place, refusals in looks.items():
        for member, refusal in if_known(each, place, refusals).items():
            yield f"before {place}", member, refusal.before
            yield f"after {place}", member, refusal.after

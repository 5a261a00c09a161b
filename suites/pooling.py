"""Judgement of PgBouncer's own sessions with the server under tlsOnly."""

from __future__ import annotations

from fixtures.observing.pooler_login import PooledLogin
from fixtures.pgcluster.cluster import Member
from fixtures.probes import Answer, ErrorResponse, LoginOk, describe_answer, logged_in
from fixtures.scenarios.tls_only.channels import session_is_encrypted, session_is_plain
from suites.breach import expect
from suites.wire import NothingKnown, judge


def judge_server_leg(member: Member, setting: str, answer: Answer) -> None:
    """PgBouncer's own session; the client's, by which it was asked, is another."""
    where, promised = f"{member}, PgBouncer's session, {setting}", "ssl true in pg_stat_ssl"
    expect(
        not session_is_plain(answer),
        where=f"{where}, from pg-client",
        promised=promised,
        seen=f"ssl false in pg_stat_ssl; asked through PgBouncer: {describe_answer(answer)}",
        look_at="server_tls_sslmode in PgBouncer's configuration",
    )
    judge(
        answer, kept=session_is_encrypted, broken=session_is_plain, where=where, promised=promised
    )


def judge_by_address(login: PooledLogin) -> None:
    """A login to a database that PgBouncer reaches by an address, which no leaf has."""
    if login.refusal is not None:
        return
    expect(
        not (login.answer is not None and logged_in(login.answer)),
        where=f"{login.pooler}, a database at the primary's address",
        promised="refused as the address is not in the leaf: verify-full",
        seen=login.seen,
        look_at="server_tls_sslmode in PgBouncer's configuration",
    )
    raise NothingKnown(f"{login.pooler}: by the primary's address: {login.seen}")


def breaks_pooling(answer: Answer, after: Answer | None) -> bool:
    """Return whether a query was refused by a setting, and answered once it was taken away."""
    return isinstance(answer, ErrorResponse) and isinstance(after, LoginOk)

"""Plaintext under tlsOnly where a setting of the user would let it in, and what shows that."""

from __future__ import annotations

from collections.abc import Mapping

from fixtures.observing.settling import known
from fixtures.pgcluster.cluster import Member
from fixtures.probes import (
    Answer,
    Refusal,
    describe_answer,
    logged_in,
    plaintext_accepted,
    plaintext_refused,
)
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.tls_only.scenario import TlsOnly
from suites.wire import NothingKnown, judge_refusal, promised_by

LOGS_IN = promised_by("TLSONLY-3d")
"""The controls of refusals under tlsOnly are logins over TLS."""


def require_plaintext(tlsonly: TlsOnly) -> None:
    """TLSONLY-1, seen from those that it is the control of."""
    answers = known(tlsonly.tls_optional.plaintext["host"])
    member = next(each for each in answers if each.role == "primary")
    answer = answers[member]
    if not logged_in(answer):
        text = f"{member} let no plaintext in before: {describe_answer(answer)}"
        raise Blocked(f"TLSONLY-1: {text}") if plaintext_refused(answer) else NothingKnown(text)


def judge_reopening(
    member: Member,
    refusal: Refusal,
    before: Mapping[Member, Answer] | Exception,
    control: str,
) -> None:
    """Judge plaintext that a user's setting let in `before`: `control` promises that it did."""
    judge_refusal(
        refusal,
        plaintext_refused,
        where=member,
        promised="plaintext refused as without the setting",
        look_at="pg_hba_file_rules; PgBouncer's configuration",
        control=LOGS_IN,
    )
    answers = known(before).values()
    if not any(plaintext_accepted(answer) for answer in answers):
        text = f"{member}: the setting let no plaintext in before tlsOnly either"
        refused = any(plaintext_refused(answer) for answer in answers)
        raise Blocked(f"{control}: {text}") if refused else NothingKnown(text)

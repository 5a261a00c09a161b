"""Judgement of answers on the wire.

There are three ways out: the promised answer passes, the promise visibly broken is a breach, and
whatever else was answered says nothing of the promise and is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from cryptography import x509

from fixtures.observing.offers import Offers
from fixtures.pgcluster.cluster import Member
from fixtures.probes import (
    Answer,
    Direction,
    ErrorResponse,
    LoginOk,
    PasswordWanted,
    Phase,
    Refusal,
    Silent,
    StreamClosed,
    TlsAccepted,
    TlsDeclined,
    TlsFailed,
    describe_answer,
    logged_in,
    plaintext_refused,
    protocol_version_refused,
)
from fixtures.probes.predicates import PROTOCOL_VIOLATION
from fixtures.run.outcomes import Blocked
from suites.breach import Breach, EachElement
from suites.plugin.checks import CheckEvidence

Predicate = Callable[[Answer], bool]
OLD_VERSIONS_REFUSED = "TLS 1.0 and 1.1 refused (RFC 8996)"
Owner = Callable[[object, Answer], str]
"""Tells by the place, and the answer of a control that failed there, which requirement promises
that it works; empty where none does."""

PLAINTEXT_PROMISE = {
    False: "FATAL 28000 from ClientAuthentication",
    True: '08P01 "SSL required"',
}
# PgBouncer gives one SQLSTATE to almost all that it says itself (its source, client.c).
POOLER_REFUSES = frozenset(
    {
        "ssl required",
        "no such user",
        "login rejected",
        "password authentication failed",
        "sasl authentication failed",
    }
)
_LOOK_AT_RULES = "pg_hba_file_rules of the instance; PgBouncer's client_tls_sslmode"


class NothingKnown(Exception):  # noqa: N818 - what it means for the verdict
    """An answer that says nothing of the promise: an error, neither kept nor broken."""


def let_in(answer: Answer) -> bool:
    """The server logged the client in, or went on to ask it for a password, whatever came then."""
    match answer:
        case LoginOk() | PasswordWanted():
            return True
        case ErrorResponse(asked=asked) | StreamClosed(asked=asked) | Silent(asked=asked):
            return bool(asked)
        case _:
            return False


def no_tls(answer: Answer) -> bool:
    """The server does not speak TLS, or ended it by an alert, or did not verify.

    An alert of our own with another reason, or an error without any, says nothing of the server.
    """
    match answer:
        case TlsDeclined():
            return True
        case TlsFailed(alert=alert, verify=verify):
            received = alert is not None and alert.direction is Direction.RECEIVED
            return received or verify is not None
        case _:
            return False


def accepted(answer: Answer) -> bool:
    """TLS stands and our client trusts the server, or lets it be."""
    return isinstance(answer, TlsAccepted | LoginOk)


def judge(
    answer: Answer,
    *,
    kept: Predicate,
    broken: Predicate,
    where: object,
    promised: str,
    look_at: str = "",
) -> None:
    """Return if the answer is the promised one, raise Breach if it breaks the promise.

    Any other answer (a closed port, a name that does not resolve, silence, a refusal for another
    reason) raises NothingKnown.
    """
    if kept(answer):
        return
    seen = describe_answer(answer)
    place = f"{where}, from pg-client"
    if broken(answer):
        raise Breach(where=place, promised=promised, seen=seen, look_at=look_at)
    raise NothingKnown(f"{place}: expected {promised}, or its breach; seen: {seen}")


def turned_away(answer: Answer) -> bool:
    """The server, or what it presents, ended a login that should have worked.

    TLS that it does not speak, an alert or a certificate of it that does not verify, a refusal of
    this user (SQLSTATE class 28, or what PgBouncer says of its own), a password that is asked for
    in vain. A port without an answer, and a server that takes nobody just now, are not.
    """
    match answer:
        case ErrorResponse(sqlstate=sqlstate):
            words = answer.message.strip().casefold()
            pooler = sqlstate == PROTOCOL_VIOLATION and words in POOLER_REFUSES
            return sqlstate.startswith("28") or pooler
        case PasswordWanted():
            return True
        case _:
            return no_tls(answer)


def promised_by(requirement: str) -> Owner:
    """Every control that the server turned away is a breach of this requirement."""
    return lambda _, answer: requirement if turned_away(answer) else ""


def require_controls(refusal: Refusal, owner: Owner, where: object) -> None:
    """Raise Blocked where a control failed, and to succeed is what a requirement promises.

    Where it is not, the control is left to `Refusal.judged`, which makes it an error.
    """
    for when, control in (("before", refusal.before), ("after", refusal.after)):
        if not logged_in(control) and (requirement := owner(where, control)):
            raise Blocked(
                f"{requirement}: the control {when} the probe at {where} did not log in:"
                f" {describe_answer(control)}"
            )


def judge_refusal(
    refusal: Refusal,
    kept: Predicate,
    *,
    where: object,
    promised: str,
    look_at: str = "",
    control: Owner | None = None,
) -> None:
    """The same for an attempt that must be refused, and stood between two good controls.

    One that was let in speaks for itself: a control that failed does not excuse it. `control`
    tells whose promise it is that a control works: one that failed blocks this requirement by it.
    """
    admitted = let_in(refusal.answer)
    if control is not None and not admitted:
        require_controls(refusal, control, where)
    judge(
        refusal.answer if admitted else refusal.judged(),
        kept=kept,
        broken=let_in,
        where=where,
        promised=promised,
        look_at=look_at,
    )


def judge_plaintext(
    each: EachElement,
    refusals: Mapping[Member, Refusal],
    when: str = "",
    *,
    control: Owner | None = None,
) -> None:
    """Each Pod must refuse plaintext in its own protocol's words, between two good controls.

    `when` names the time of a look that is not the only one; `control` as for `judge_refusal`.
    """
    for member, refusal in refusals.items():
        with each(f"{member}, {when}" if when else str(member)):
            judge_one_plaintext(member, refusal, member, control=control)


def judge_one_plaintext(
    member: Member, refusal: Refusal, where: object, *, control: Owner | None = None
) -> None:
    """A Pod must refuse one login without TLS; `where` tells which. `control` as above."""
    judge_refusal(
        refusal,
        plaintext_refused,
        where=where,
        promised=PLAINTEXT_PROMISE[member.role == "pgbouncer"],
        look_at=_LOOK_AT_RULES,
        control=control,
    )


def judge_versions(each: EachElement, offers: Offers, *, control: str) -> None:
    """Each endpoint must accept TLS, as the requirement `control` promises, but none below 1.2."""
    for member, offer in offers.items():
        with each(str(member)):
            if not accepted(offer.newest):
                seen = f"{member}: the control, a client of today: {describe_answer(offer.newest)}"
                raise Blocked(f"{control}: {seen}") if no_tls(offer.newest) else NothingKnown(seen)
            judge(
                offer.old,
                kept=partial(_version_refused, knows_hello=accepted(offer.legacy)),
                broken=accepted,
                where=f"{member}, offered TLS 1.0 and 1.1 alone",
                promised=OLD_VERSIONS_REFUSED,
                look_at="ssl_min_protocol_version; PgBouncer's client_tls_protocols",
            )


def keep_offers(evidence: CheckEvidence, offers: Offers, cluster: str = "") -> None:
    """Keep what each endpoint offers: versions, ciphers, chain, request for a certificate, ALPN."""
    found = {str(at): offer.summary() for at, offer in offers.items()}
    evidence.data(f"{cluster}-offers.json" if cluster else "offers.json", found)


def _version_refused(answer: Answer, *, knows_hello: bool) -> bool:
    """Ended by the server's alert 70, or hung up on.

    Another alert may be about our ClientHello, and so may an end without any, unless the server
    answered the like of it that offers TLS 1.2 (`knows_hello`).
    """
    match answer:
        case StreamClosed(phase=phase):
            return knows_hello and phase is Phase.HANDSHAKE
        case _:
            return protocol_version_refused(answer)


def served_leaf(where: object, answer: Answer) -> x509.Certificate:
    """The leaf that a server presented.

    Raises Breach where the server does not speak TLS, NothingKnown where it did not get so far.
    """
    match answer:
        case TlsAccepted(tls=session) | LoginOk(tls=session) | ErrorResponse(tls=session):
            if session is not None:
                return session.leaf
        case TlsDeclined():
            seen = describe_answer(answer)
            raise Breach(where=f"{where}, from pg-client", promised="TLS", seen=seen)
    raise NothingKnown(f"{where}: no certificate was served: {describe_answer(answer)}")

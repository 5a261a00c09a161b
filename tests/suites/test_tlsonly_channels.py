"""Verdicts of the checks of TLSONLY on replication and PgBouncer's way to the server."""

from __future__ import annotations

import pytest

from fixtures.observing.pooler_login import PooledLogin
from fixtures.observing.streaming import Streaming, Walsender
from fixtures.pgcluster.cluster import Outcome
from fixtures.probes import (
    Answer,
    LoginOk,
)
from fixtures.scenarios.tls_only.delivery import Delivery
from suites import test_tlsonly as checks
from suites.breach import Breach
from suites.wire import NothingKnown
from tests.suites.observed import RecordedEvidence, judged, staged
from tests.suites.tlsonly_answers import (
    HICCUP,
    POOLER,
    PRIMARY,
    REFUSED_BY_ADDRESS,
    SILENT,
    TLS,
    TURNED_AWAY,
)


def _session(ssl: str) -> LoginOk:
    return LoginOk(user="u", database="d", rows=((ssl, "10.0.0.2", "name"),), tls=TLS)


def _walsender(*, ssl: bool = True) -> Walsender:
    return Walsender(
        pid=7,
        state="streaming",
        address="10.0.0.3",
        flushed="0/3000060",
        ssl=ssl,
        client_dn=None,
        client_serial=None,
        issuer_dn=None,
    )


def _replication(
    *rows: Walsender,
    received: bool,
    ready: bool = True,
    captured: bool | None = None,
    later: Walsender | None = None,
) -> None:
    delivery = Delivery(
        streaming=Streaming(primary=PRIMARY, replicas=1, walsenders=rows),
        received=received,
        ready=Outcome(ready, "cluster plain ready"),
    )
    at_the_end = Streaming(primary=PRIMARY, replicas=1, walsenders=(later or _walsender(),))
    observed = staged(
        tls_enforced={"delivery": delivery, "captured": captured},
        settings_repeated={"streaming": {"plain": at_the_end}},
    )
    judged(checks.test_replication_stays_encrypted, observed, RecordedEvidence())


def test_a_replica_that_streams_over_tls_keeps_5a() -> None:
    _replication(_walsender(), received=True, captured=False)


def test_a_replica_that_never_streams_breaks_5a_in_a_ready_cluster_only() -> None:
    with pytest.raises(Breach, match="seen 0 of 1 streaming: no walsender"):
        _replication(received=False)
    with pytest.raises(NothingKnown, match="cluster plain ready is not"):
        _replication(received=False, ready=False)


def test_a_row_in_plaintext_breaks_5a_whatever_the_server_says() -> None:
    with pytest.raises(Breach, match="in plaintext"):
        _replication(_walsender(), received=True, captured=True)
    for now, later in ((False, True), (True, False)):
        rows = _walsender(ssl=now), _walsender(ssl=later)
        with pytest.raises(Breach, match="ssl false"):
            _replication(rows[0], received=True, captured=False, later=rows[1])


def _pooled(
    answer: Answer,
    *,
    before: Answer | None = None,
    after: Answer | None = None,
    by_address: PooledLogin = REFUSED_BY_ADDRESS,
) -> RecordedEvidence:
    evidence = RecordedEvidence()
    observed = staged(
        tls_enforced={"pooled": {POOLER: before or _session("true")}, "captured_pooled": None},
        settings_repeated={
            "pooled": {"disable": {POOLER: answer}},
            "pooled_again": {POOLER: after or _session("true")},
            "pooled_later": {"plain": {POOLER: _session("true")}},
            "by_address": (by_address,),
        },
    )
    judged(checks.test_pgbouncer_reaches_the_server_by_tls, observed, evidence)
    return evidence


def test_a_session_over_tls_keeps_5b() -> None:
    _pooled(_session("true"))


def test_a_setting_that_goes_plain_breaks_5b() -> None:
    with pytest.raises(Breach):
        _pooled(_session("false"))


def test_a_setting_that_merely_breaks_pooling_keeps_5b() -> None:
    found = _pooled(TURNED_AWAY)
    assert any("breaks pooling" in str(content) for content in found.files.values())


def test_pooling_that_fails_without_the_setting_too_leaves_5b_unknown() -> None:
    for answer in (TURNED_AWAY, HICCUP, SILENT):
        with pytest.raises(NothingKnown):
            _pooled(TURNED_AWAY, after=answer)
        with pytest.raises(NothingKnown):
            _pooled(_session("true"), before=answer)


@pytest.mark.parametrize("answer", [HICCUP, SILENT])
def test_a_session_that_was_not_seen_leaves_5b_unknown(answer: Answer) -> None:
    with pytest.raises(NothingKnown):
        _pooled(answer)


def test_a_server_that_is_taken_by_an_address_breaks_5b() -> None:
    with pytest.raises(Breach, match="verify-full"):
        _pooled(_session("true"), by_address=PooledLogin(pooler=POOLER, answer=_session("true")))


@pytest.mark.parametrize("answer", [None, HICCUP])
def test_a_login_by_an_address_that_says_nothing_leaves_5b_unknown(answer: Answer | None) -> None:
    with pytest.raises(NothingKnown):
        _pooled(_session("true"), by_address=PooledLogin(pooler=POOLER, answer=answer))

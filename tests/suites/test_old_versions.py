"""Verdicts on the versions of TLS that endpoints accept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.certificates import Authority, internal_spec
from fixtures.observing.offers import Offer
from fixtures.pgcluster.cluster import Member
from fixtures.probes import (
    Alert,
    Answer,
    Direction,
    Obstacle,
    Phase,
    Silent,
    StreamClosed,
    TlsAccepted,
    TlsDeclined,
    TlsFailed,
    TlsSession,
    Unreachable,
)
from fixtures.run.outcomes import Blocked
from suites import test_old_versions as checks
from suites.breach import Breach
from suites.wire import NothingKnown
from tests.suites.observed import RecordedEvidence, judged, staged

MEMBER = Member("plain-a-0", "10.0.0.1", "primary", "uid", "plain-a")
_LEAF = Authority.create("root").issue(internal_spec()).certificate


def _accepted(version: str) -> TlsAccepted:
    session = TlsSession(leaf=_LEAF, chain=(_LEAF,), version=version, cipher="c", verify=None)
    return TlsAccepted(tls=session)


def _alert(direction: Direction = Direction.RECEIVED, number: int = 70) -> TlsFailed:
    return TlsFailed(alert=Alert(number, direction), verify=None, version="TLSv1.1", detail="")


def _offer(old: Answer, *, oldest: Answer | None = None, newest: Answer | None = None) -> Offer:
    return Offer(
        old=old,
        oldest=oldest,
        legacy=_accepted("TLSv1.2"),
        newest=newest or _accepted("TLSv1.3"),
    )


def _judge(offer: Offer) -> RecordedEvidence:
    kept = RecordedEvidence()
    observed = staged(
        created={"offers": {MEMBER: offer}}, settings_repeated={"offers": {MEMBER: offer}}
    )
    judged(checks.test_no_endpoint_accepts_old_tls_under_tls_only, observed, kept)
    return kept


def test_an_alert_or_an_end_refuses_old_versions() -> None:
    for old in (_alert(), StreamClosed(phase=Phase.HANDSHAKE)):
        kept = _judge(_offer(old)).files["born-offers.json"]
        assert kept[str(MEMBER)]["accepted"] == ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1.1"])
def test_an_old_version_that_is_chosen_is_a_breach(version: str) -> None:
    with pytest.raises(Breach, match=f"handshake done, {version}, "):
        _judge(_offer(_accepted(version)))


@pytest.mark.parametrize(
    "old",
    [
        TlsDeclined(),
        Unreachable(obstacle=Obstacle.REFUSED, detail=""),
        Silent(phase=Phase.HANDSHAKE, seconds=10),
        StreamClosed(phase=Phase.SSL_REQUEST),
        _alert(Direction.SENT),
        _alert(number=50),
        _alert(number=40),
    ],
)
def test_an_obstacle_refuses_nothing(old: Answer) -> None:
    with pytest.raises(NothingKnown):
        _judge(_offer(old))


def test_an_end_says_nothing_where_the_like_with_tls_1_2_is_not_answered_either() -> None:
    end = StreamClosed(phase=Phase.HANDSHAKE)
    with pytest.raises(NothingKnown):
        _judge(replace(_offer(end), legacy=end))


def test_a_server_that_takes_no_client_of_today_refuses_nothing() -> None:
    silent = Silent(phase=Phase.HANDSHAKE, seconds=10)
    with pytest.raises(NothingKnown, match="the control"):
        _judge(_offer(_alert(), newest=silent))
    for no_tls in (_alert(), TlsDeclined()):
        with pytest.raises(Blocked, match=r"AUTO-1: .*the control"):
            _judge(_offer(_alert(), newest=no_tls))


def test_versions_are_told_apart() -> None:
    both = _offer(_accepted("TLSv1.1"), oldest=_accepted("TLSv1"))
    assert both.accepted() == ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
    oldest_alone = _offer(_accepted("TLSv1"))
    assert oldest_alone.accepted() == ("TLSv1", "TLSv1.2", "TLSv1.3")
    no_newest = _offer(_alert(), newest=_accepted("TLSv1.2"))
    assert no_newest.accepted() == ("TLSv1.2",)

"""Answers on the wire that break a promise of TLS, and those that say nothing of it."""

from __future__ import annotations

import pytest

from fixtures.certificates import VerifyResult
from fixtures.probes import Alert, Answer, Direction, TlsDeclined, TlsFailed
from suites.breach import Breach
from suites.wire import NothingKnown, judge, no_tls


def _failed(alert: Alert | None, verify: VerifyResult | None = None) -> TlsFailed:
    return TlsFailed(alert=alert, verify=verify, version="TLSv1.3", detail="")


def _judge(answer: Answer) -> None:
    judge(answer, kept=lambda _: False, broken=no_tls, where="Pod", promised="TLS")


@pytest.mark.parametrize(
    "answer",
    [
        TlsDeclined(),
        _failed(Alert(40, Direction.RECEIVED)),
        _failed(Alert(48, Direction.SENT), VerifyResult.of(20)),
        _failed(Alert(42, Direction.SENT), VerifyResult.of(62)),
        _failed(Alert(45, Direction.SENT), VerifyResult.of(10)),
    ],
)
def test_what_the_server_did_is_a_breach(answer: Answer) -> None:
    with pytest.raises(Breach):
        _judge(answer)


@pytest.mark.parametrize(
    "answer",
    [
        _failed(Alert(70, Direction.SENT)),
        _failed(Alert(40, Direction.SENT)),
        _failed(Alert(80, Direction.SENT)),
        _failed(None),
    ],
)
def test_an_alert_of_our_own_without_a_verdict_on_the_server_says_nothing(answer: Answer) -> None:
    with pytest.raises(NothingKnown):
        _judge(answer)

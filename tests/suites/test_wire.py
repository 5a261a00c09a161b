"""Judgement of answers on the wire."""

from __future__ import annotations

import pytest

from fixtures.probes import (
    Answer,
    ControlFailedError,
    ErrorResponse,
    LoginOk,
    Obstacle,
    PasswordWanted,
    Phase,
    Refusal,
    Silent,
    StreamClosed,
    Unreachable,
    refused_by_postgres,
)
from suites.breach import Breach
from suites.wire import judge_refusal, let_in

LOGIN = LoginOk(user="u", database="d")
ASKED = ("AuthenticationSASL",)
NO_RULE = ErrorResponse(
    severity="FATAL",
    severity_code="FATAL",
    sqlstate="28000",
    message="no pg_hba.conf entry",
    routine="ClientAuthentication",
)
GONE = Unreachable(obstacle=Obstacle.REFUSED, detail="connection refused")


def _judge(refusal: Refusal) -> None:
    judge_refusal(refusal, refused_by_postgres, where="Pod c", promised="no entry")


@pytest.mark.parametrize(
    ("answer", "inside"),
    [
        (LOGIN, True),
        (PasswordWanted(asked=ASKED), True),
        (StreamClosed(phase=Phase.STARTUP, asked=ASKED), True),
        (Silent(phase=Phase.STARTUP, seconds=5, asked=ASKED), True),
        (NO_RULE, False),
        (StreamClosed(phase=Phase.STARTUP), False),
        (Silent(phase=Phase.STARTUP, seconds=5), False),
        (GONE, False),
    ],
)
def test_who_is_asked_for_a_password_was_let_in_whatever_came_then(
    answer: Answer, inside: bool
) -> None:
    assert let_in(answer) is inside


def test_the_promised_refusal_between_good_controls_is_kept() -> None:
    _judge(Refusal(LOGIN, NO_RULE, LOGIN))


@pytest.mark.parametrize("control", [GONE, PasswordWanted(asked=ASKED)])
def test_what_was_let_in_is_a_breach_whatever_the_controls_say(control: Answer) -> None:
    """A rule that asks everybody for a password asks the control for one, too."""
    with pytest.raises(Breach):
        _judge(Refusal(control, PasswordWanted(asked=ASKED), control))


@pytest.mark.parametrize(("before", "after"), [(GONE, LOGIN), (LOGIN, GONE)])
def test_a_refusal_beside_a_control_that_failed_says_nothing(before: Answer, after: Answer) -> None:
    with pytest.raises(ControlFailedError):
        _judge(Refusal(before, NO_RULE, after))


def test_a_closed_port_is_no_refusal() -> None:
    with pytest.raises(Exception, match="its breach") as raised:
        _judge(Refusal(LOGIN, GONE, LOGIN))
    assert not isinstance(raised.value, Breach)

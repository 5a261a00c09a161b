"""Verdicts of the checks of TLSONLY on observations of their scenario, and on gaps in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import pytest

from fixtures.pgcluster.hbarules import HbaRule, HbaRules
from fixtures.pgcluster.restartmarkers import RestartMarkers
from fixtures.probes import (
    Answer,
    ControlFailedError,
    PasswordWanted,
    Refusal,
)
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.tls_only.enforcement import InForce
from fixtures.scenarios.tls_only.repeated_logins import LoginAttempts
from fixtures.scenarios.tls_only.scenario import CLIENT_MODES
from suites import test_tlsonly as checks
from suites import test_tlsonly_controls as controls
from suites.breach import Breach
from suites.wire import NothingKnown
from tests.suites.observed import RecordedEvidence, judged, staged
from tests.suites.tlsonly_answers import (
    CLOSED,
    HICCUP,
    NO_RULE,
    OK,
    PLAIN_LOGIN,
    PRIMARY,
    REFUSED,
    SILENT,
    TLS,
    TURNED_AWAY,
)


def _throughout(
    attempts: LoginAttempts | None = None,
    *,
    before: Answer = OK,
    after: Answer = OK,
    left_alone: tuple[str, ...] = (),
    causes: Mapping[str, str] = {},
) -> None:
    observed = staged(
        tls_optional={"over_tls": {PRIMARY: before}},
        tls_enforced={
            "over_tls": {PRIMARY: after},
            "during": {PRIMARY: attempts or LoginAttempts(made=9)},
            "markers_after": RestartMarkers(pods=(), postmasters=(), causes=causes),
        },
        settings_repeated={"left_alone": left_alone},
    )
    judged(checks.test_tls_clients_log_in_throughout, observed, RecordedEvidence())


def test_lost_attempts_among_many_do_not_break_3d() -> None:
    _throughout(LoginAttempts(made=90, lost=2, last_lost=HICCUP, blind_seconds=11))


@pytest.mark.parametrize("answer", [CLOSED, NO_RULE, PLAIN_LOGIN])
def test_what_the_server_did_breaks_3d_whatever_was_lost(answer: Answer) -> None:
    with pytest.raises(Breach):
        _throughout(LoginAttempts(made=1, failed=[answer], lost=9, last_lost=HICCUP))
    with pytest.raises(Breach):
        _throughout(before=answer)


def test_a_client_that_saw_nothing_leaves_3d_unknown() -> None:
    with pytest.raises(NothingKnown, match="0 attempts told something and 4 did not"):
        _throughout(LoginAttempts(lost=4, last_lost=HICCUP))


def test_restarts_in_a_cluster_that_was_left_alone_leave_3d_unknown() -> None:
    with pytest.raises(NothingKnown, match="left alone"):
        _throughout(LoginAttempts(made=9, failed=[CLOSED]), left_alone=("Pod born-1 is gone",))


def test_a_wrong_password_leaves_3d_unknown() -> None:
    wrong = replace(NO_RULE, sqlstate="28P01", routine="auth_failed", asked=("SASL",), tls=TLS)
    with pytest.raises(NothingKnown):
        _throughout(before=wrong)
    with pytest.raises(NothingKnown):
        _throughout(LoginAttempts(made=9, failed=[wrong]))
    with pytest.raises(Breach):
        _throughout(before=NO_RULE)


def test_a_pod_that_its_node_ended_leaves_3d_unknown() -> None:
    with pytest.raises(NothingKnown, match="not by the operator: OOMKilled"):
        _throughout(LoginAttempts(made=9, failed=[CLOSED]), causes={PRIMARY.pod: "OOMKilled"})
    with pytest.raises(Breach):
        _throughout(LoginAttempts(made=9, failed=[CLOSED]), causes={"other": "OOMKilled"})


@pytest.mark.parametrize("answer", [HICCUP, SILENT])
def test_a_look_that_our_side_lost_leaves_3d_unknown(answer: Answer) -> None:
    with pytest.raises(NothingKnown):
        _throughout(after=answer)


def _force(rules: HbaRules | None = None, refusal: Refusal = REFUSED) -> dict[str, InForce]:
    """The same at every cluster, as it is looked at again."""
    found = InForce(rules={PRIMARY: rules or _rules("hostssl")}, refusals={PRIMARY: refusal})
    return dict.fromkeys(("born", "plain", *CLIENT_MODES), found)


def _primary(refusal: Refusal, control: Answer = PLAIN_LOGIN) -> None:
    observed = staged(
        created={"refusals": {PRIMARY: refusal}, "offers": {}},
        tls_optional={"plaintext": {"host": {PRIMARY: control}}},
        tls_enforced={"afterwards": _force()["plain"]},
        settings_repeated={"at_the_end": _force()},
    )
    judged(checks.test_the_primary_refuses_plaintext, observed, RecordedEvidence())


def test_3a_stands_on_a_plaintext_login_that_got_in() -> None:
    _primary(REFUSED)
    with pytest.raises(Blocked, match=r"TLSONLY-1: .*let no plaintext in"):
        _primary(REFUSED, control=NO_RULE)
    with pytest.raises(NothingKnown, match="let no plaintext in"):
        _primary(REFUSED, control=HICCUP)


def test_plaintext_that_gets_in_breaks_3a_without_its_controls() -> None:
    let_in = Refusal(HICCUP, PasswordWanted(asked=("SASL",)), HICCUP)
    with pytest.raises(Breach):
        _primary(let_in, control=NO_RULE)


def _rules(kind: str, *, loaded: bool = True, method: str = "reject") -> HbaRules:
    rule = HbaRule(
        line_number=1,
        type=kind,
        database="all",
        user_name="{monitor}",
        address="127.0.0.0",
        auth_method=method,
        error=None,
    )
    return HbaRules(rules=(rule,), loaded=loaded)


def _live(
    now: HbaRules,
    *,
    before: HbaRules,
    created: HbaRules,
    refusal: Refusal = REFUSED,
    afterwards: dict[str, InForce] | None = None,
    at_the_end: dict[str, InForce] | None = None,
) -> None:
    observed = staged(
        created={"rules": {PRIMARY: created}},
        tls_optional={"rules": {PRIMARY: before}, "plaintext": {"host": {PRIMARY: PLAIN_LOGIN}}},
        tls_enforced={
            "rules": {PRIMARY: now},
            "refusals": {PRIMARY: refusal},
            "afterwards": (afterwards or _force())["plain"],
        },
        settings_repeated={"at_the_end": at_the_end or _force()},
    )
    judged(checks.test_it_takes_effect_on_a_live_cluster, observed, RecordedEvidence())


def test_rules_that_changed_and_are_loaded_keep_3e() -> None:
    _live(_rules("hostssl"), before=_rules("host"), created=_rules("hostssl"))


def test_rules_that_did_not_change_or_are_not_loaded_break_3e() -> None:
    for now in (_rules("host"), _rules("hostssl", loaded=False)):
        with pytest.raises(Breach):
            _live(now, before=_rules("host"), created=_rules("hostssl"))


@pytest.mark.parametrize("when", ["afterwards", "at_the_end"])
@pytest.mark.parametrize(
    ("kind", "answer"), [("host", NO_RULE), ("hostssl", PLAIN_LOGIN)], ids=["rule", "login"]
)
def test_plaintext_that_is_let_in_again_breaks_3e(when: str, kind: str, answer: Answer) -> None:
    lapsed = _force(_rules(kind, method="md5"), Refusal(OK, answer, OK))
    with pytest.raises(Breach):
        _live(
            _rules("hostssl"),
            before=_rules("host"),
            created=_rules("hostssl"),
            afterwards=lapsed if when == "afterwards" else None,
            at_the_end=lapsed if when == "at_the_end" else None,
        )


def test_a_rule_that_admits_breaks_4a_though_nobody_got_in() -> None:
    with pytest.raises(Breach, match="hostgssenc"):
        _reopened(REFUSED, before=PLAIN_LOGIN, rules=_rules("hostgssenc", method="gss"))


def test_rules_that_never_change_leave_3e_unknown() -> None:
    with pytest.raises(NothingKnown, match="the same with tlsOnly and without"):
        _live(_rules("hostssl"), before=_rules("hostssl"), created=_rules("hostssl"))


def test_a_control_that_failed_leaves_3e_unknown() -> None:
    with pytest.raises(ControlFailedError):
        _live(
            _rules("hostssl"),
            before=_rules("host"),
            created=_rules("hostssl"),
            refusal=Refusal(OK, NO_RULE, HICCUP),
        )


@pytest.mark.parametrize("place", ["created", "reopening", "at the end"])
@pytest.mark.parametrize(
    ("control", "broken"),
    [(replace(NO_RULE, tls=TLS), True), (HICCUP, False), (TURNED_AWAY, False)],
)
def test_a_control_that_the_server_turned_away_breaks_3d(
    place: str, control: Answer, broken: bool
) -> None:
    good = REFUSED
    bad = replace(REFUSED, after=control)
    at = {name: bad if name == place else good for name in ("created", "reopening", "at the end")}
    observed = staged(
        created={"refusals": {PRIMARY: at["created"]}},
        tls_enforced={
            "refusals": {PRIMARY: good},
            "reopening": {"host": {PRIMARY: at["reopening"]}},
            "pooler_reopening": {},
        },
        settings_repeated={
            "at_the_end": {"plain": SimpleNamespace(refusals={PRIMARY: at["at the end"]})}
        },
    )
    check = controls.test_tls_clients_log_in_whatever_rules_there_are
    if not broken:
        judged(check, observed)
        return
    with pytest.raises(Breach, match="promised a login over TLS"):
        judged(check, observed)


def test_a_cluster_that_does_not_come_back_leaves_what_others_show() -> None:
    away = LookupError("cluster host lacks some of its instances")
    kept = {"hostnossl": {PRIMARY: REFUSED}, "host": away}
    broken = {"hostnossl": {PRIMARY: Refusal(OK, PLAIN_LOGIN, OK)}, "host": away}
    for reopening, verdict in ((kept, LookupError), (broken, Breach)):
        observed = staged(
            tls_optional={"plaintext": {"hostnossl": {PRIMARY: PLAIN_LOGIN}, "host": away}},
            tls_enforced={"reopening": reopening, "forced": 9},
            settings_repeated={"at_the_end": {**_force(), "host": away}},
        )
        with pytest.raises(verdict):
            judged(checks.test_users_rules_do_not_reopen_plaintext, observed, RecordedEvidence())


def test_2_is_known_though_clusters_with_rules_do_not_come_back() -> None:
    away = LookupError("cluster hostnogssenc is not ready")
    observed = staged(
        created={"rules": {PRIMARY: _rules("hostssl")}},
        tls_enforced={"afterwards": _force()["plain"]},
        settings_repeated={"at_the_end": {**_force(), "hostnogssenc": away}},
    )
    judged(checks.test_no_rule_admits_plaintext, observed, RecordedEvidence())


def _reopened(refusal: Refusal, *, before: Answer, rules: HbaRules | None = None) -> None:
    observed = staged(
        tls_optional={"plaintext": {"host": {PRIMARY: before}}},
        tls_enforced={"reopening": {"host": {PRIMARY: refusal}}, "forced": 9},
        settings_repeated={"at_the_end": _force(rules)},
    )
    judged(checks.test_users_rules_do_not_reopen_plaintext, observed, RecordedEvidence())


def test_4a_stands_on_plaintext_that_the_rule_let_in_before() -> None:
    _reopened(REFUSED, before=PLAIN_LOGIN)
    with pytest.raises(Blocked, match=r"TLSONLY-1: .*let no plaintext in before"):
        _reopened(REFUSED, before=NO_RULE)
    with pytest.raises(NothingKnown, match="let no plaintext in before"):
        _reopened(REFUSED, before=HICCUP)


@pytest.mark.parametrize("before", [PLAIN_LOGIN, NO_RULE])
def test_plaintext_under_tls_only_breaks_4a_whatever_was_before(before: Answer) -> None:
    with pytest.raises(Breach):
        _reopened(Refusal(OK, PLAIN_LOGIN, OK), before=before)


def _lives(started: str) -> RestartMarkers:
    return RestartMarkers(pods=(), postmasters=((PRIMARY.pod, started),))


def _toggled(*, after: str = "1", end: str = "1", left_alone: tuple[str, ...] = ()) -> None:
    observed = staged(
        tls_enforced={"markers_before": _lives("1"), "markers_after": _lives(after)},
        settings_repeated={"lives": _lives(end), "left_alone": left_alone},
    )
    judged(checks.test_toggling_restarts_nothing, observed)


def test_a_restart_in_the_window_breaks_3f() -> None:
    _toggled()
    for after in ("1", "2"):
        with pytest.raises(Breach, match="postmaster"):
            _toggled(after=after, end="2")


def test_restarts_in_a_cluster_that_was_left_alone_leave_3f_unknown() -> None:
    with pytest.raises(NothingKnown, match="left alone"):
        _toggled(end="2", left_alone=("Pod born-1 is gone",))

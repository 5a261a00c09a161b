"""Verdicts of the checks of REPL on walsenders, and on logins as the replication user."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from cryptography import x509

from fixtures.certificates import Authority, internal_spec
from fixtures.observing.streaming import Streaming, Walsender
from fixtures.observing.trusted_cas import TrustedCas
from fixtures.pgclient import PsqlResult
from fixtures.pgcluster.cluster import Member
from fixtures.probes import (
    Alert,
    Answer,
    Direction,
    ErrorResponse,
    LoginOk,
    Obstacle,
    PasswordWanted,
    Phase,
    Refusal,
    Replication,
    Silent,
    StreamClosed,
    TlsDeclined,
    TlsFailed,
    TlsSession,
    Unreachable,
)
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.generated.replication_logins import (
    PHYSICAL,
    POSTGRES,
    LoginTarget,
    LoginVariant,
    targets_of,
)
from fixtures.scenarios.generated.scenario import Generated
from suites import test_repl as checks
from suites.breach import Breach
from suites.wire import NothingKnown
from tests.suites.observed import RecordedEvidence, generated, inventory, judged, secrets_of

PRIMARY = Member("one-a-0", "10.0.0.1", "primary", "uid", "one-a")
LEGACY = Authority.create("old")
OWN = Authority.create("postgres-operator-ca")
ROOT = OWN.certificate
SECRETS = secrets_of("one", root=OWN)
_LEAF = LEGACY.issue(internal_spec()).certificate
TLS = TlsSession(leaf=_LEAF, chain=(_LEAF,), version="TLSv1.3", cipher="c", verify=None)
OK = LoginOk(user="_crunchyrepl", database="postgres", tls=TLS)
REFUSED_BY_PSQL = PsqlResult(2, (), "", "FATAL:  connection requires a valid client certificate")


def _alert(number: int, direction: Direction = Direction.RECEIVED) -> TlsFailed:
    return TlsFailed(
        alert=Alert(number, direction),
        verify=None,
        version="TLSv1.3",
        detail="",
        presented="ab",
        tls=TLS,
    )


def _error(sqlstate: str) -> ErrorResponse:
    return ErrorResponse(
        severity="FATAL",
        severity_code="FATAL",
        sqlstate=sqlstate,
        message="",
        routine="ClientAuthentication",
        tls=TLS,
    )


def _row(
    pid: int, address: str = "10.0.0.2", *, state: str = "streaming", ssl: bool = True
) -> Walsender:
    return Walsender(
        pid=pid,
        state=state,
        address=address,
        flushed=None,
        ssl=ssl,
        client_dn="/CN=_crunchyrepl" if ssl else None,
        client_serial="1" if ssl else None,
        issuer_dn="/CN=root" if ssl else None,
    )


def _replication(*rows: Walsender, expected: int = 1) -> Generated:
    seen = Streaming(primary=PRIMARY, replicas=expected, walsenders=rows)
    return generated(replication=SimpleNamespace(streaming=seen))


def _logins(
    by_variant: dict[LoginVariant, Answer],
    *,
    control: Answer = OK,
    legacy: Authority | None = LEGACY,
    target: LoginTarget = POSTGRES,
    psql: PsqlResult = REFUSED_BY_PSQL,
    trusted: TrustedCas | None = None,
    handshake: Answer = OK,
) -> Generated:
    tried = {variant: Refusal(control, answer, control) for variant, answer in by_variant.items()}
    return generated(
        deployed=SimpleNamespace(legacy=legacy, shares_root=legacy is None),
        stored=SimpleNamespace(one=inventory("one", SECRETS)),
        wire=SimpleNamespace(trusted={PRIMARY: handshake}),
        replication=SimpleNamespace(
            logins={(PRIMARY, target): tried},
            by_libpq={(PRIMARY, target): psql},
            trusted={PRIMARY: trusted or _trusting(ROOT)},
        ),
    )


def _trusting(
    *certificates: x509.Certificate, named: Sequence[x509.Certificate] | None = None
) -> TrustedCas:
    subjects = tuple(one.subject for one in (certificates if named is None else named))
    return TrustedCas(file="/pgconf/tls/ca.crt", certificates=certificates, named=subjects)


@pytest.mark.parametrize(
    "rows",
    [
        (_row(1),),
        (_row(1), _row(2)),
        (_row(1), _row(2, "10.0.0.3", state="backup")),
    ],
    ids=["one", "one and one that is left over", "one and a backup"],
)
def test_a_walsender_for_each_replica_is_enough(rows: tuple[Walsender, ...]) -> None:
    judged(checks.test_every_walsender_uses_tls, _replication(*rows), RecordedEvidence())


@pytest.mark.parametrize("rows", [(), (_row(1, state="catchup"),)], ids=["none", "one behind"])
def test_fewer_than_there_are_replicas_is_a_breach(rows: tuple[Walsender, ...]) -> None:
    with pytest.raises(Breach, match="promised 1 streaming; seen 0 of 1 streaming"):
        judged(checks.test_every_walsender_uses_tls, _replication(*rows), RecordedEvidence())


@pytest.mark.parametrize("state", ["startup", "catchup", "backup", "streaming"])
def test_a_walsender_without_tls_is_a_breach_in_any_state(state: str) -> None:
    rows = _row(1), _row(2, state=state, ssl=False)
    with pytest.raises(Breach, match="ssl is false"):
        judged(checks.test_every_walsender_uses_tls, _replication(*rows), RecordedEvidence())


@pytest.mark.parametrize(
    "variant", [LoginVariant.FOREIGN, LoginVariant.NEIGHBOUR, LoginVariant.LEGACY]
)
def test_a_certificate_of_any_other_ca_that_gets_in_is_a_breach(variant: LoginVariant) -> None:
    refused = dict.fromkeys(
        (LoginVariant.FOREIGN, LoginVariant.NEIGHBOUR, LoginVariant.LEGACY), _alert(48)
    )
    _judge_other_cas(_logins({**refused}))
    with pytest.raises(Breach):
        _judge_other_cas(_logins({**refused, variant: OK}))


def test_where_clusters_share_a_root_a_neighbours_certificate_is_none_of_another_ca() -> None:
    refused: dict[LoginVariant, Answer] = {LoginVariant.FOREIGN: _alert(48)}
    _judge_other_cas(_logins(refused, legacy=None))


def _judge_other_cas(observed: Generated) -> None:
    judged(checks.test_a_certificate_of_another_ca_is_refused, observed, RecordedEvidence())


def _judge_trust(trusted: TrustedCas, handshake: Answer = OK) -> None:
    refused: dict[LoginVariant, Answer] = {LoginVariant.FOREIGN: _alert(48)}
    _judge_other_cas(_logins(refused, legacy=None, trusted=trusted, handshake=handshake))


NAMESAKE = Authority.create("postgres-operator-ca").certificate


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [
        (_trusting(ROOT, LEGACY.certificate), "CN=old, SHA-256 "),
        (_trusting(ROOT, NAMESAKE), "CN=postgres-operator-ca, SHA-256 "),
        (_trusting(ROOT, named=(ROOT, LEGACY.certificate)), "the CAs in its request.*CN=old"),
        (_trusting(LEGACY.certificate), "ssl_ca_file /pgconf/tls/ca.crt.*CN=old"),
    ],
    ids=["one more", "a namesake", "loaded, and no more in the file", "another"],
)
def test_a_ca_that_no_secret_publishes_is_a_breach(trusted: TrustedCas, seen: str) -> None:
    with pytest.raises(Breach, match=seen):
        _judge_trust(trusted)


def test_what_comes_from_the_published_root_may_be_trusted_besides() -> None:
    _judge_trust(_trusting(ROOT))
    _judge_trust(_trusting(ROOT, OWN.issue(internal_spec()).certificate))


def test_trust_that_cannot_be_read_is_an_error() -> None:
    unread = TrustedCas(file="/pgconf/tls/ca.crt", certificates=(), named=(ROOT.subject,))
    unnamed = TrustedCas(file="/pgconf/tls/ca.crt", certificates=(ROOT,), named=None)
    silent = Silent(phase=Phase.HANDSHAKE, seconds=10)
    for trusted in (unread, unnamed):
        with pytest.raises(NothingKnown):
            _judge_trust(trusted, silent)
    with pytest.raises(Blocked, match=r"AUTO-1: .*no handshake shows"):
        _judge_trust(unnamed, TlsDeclined())


def test_targets_are_streaming_and_every_database_in_both_ways() -> None:
    assert [str(target) for target in targets_of(("app", "postgres"))] == [
        "replication=true",
        "database app",
        "database postgres",
        "replication=database, database app",
        "replication=database, database postgres",
    ]


def _judge_no_certificate(observed: Generated) -> None:
    judged(checks.test_no_certificate_no_login, observed, RecordedEvidence())


@pytest.mark.parametrize(
    "target",
    [PHYSICAL, POSTGRES, LoginTarget("app"), LoginTarget("app", Replication.DATABASE)],
    ids=str,
)
def test_a_login_without_a_certificate_is_a_breach_wherever_it_is(target: LoginTarget) -> None:
    refused: dict[LoginVariant, Answer] = {LoginVariant.NOTHING: _error("28000")}
    _judge_no_certificate(_logins(refused, target=target))
    with pytest.raises(Breach):
        _judge_no_certificate(_logins({LoginVariant.NOTHING: OK}, target=target))
    got_in = PsqlResult(0, (), "", "")
    with pytest.raises(Breach, match="psql got in"):
        _judge_no_certificate(_logins(refused, target=target, psql=got_in))


def test_a_rule_may_refuse_another_name_where_no_certificate_opens_anything() -> None:
    refused: dict[LoginVariant, Answer] = {LoginVariant.SERVER_LEAF: _error("28000")}
    check, kept = checks.test_another_common_name_is_refused, RecordedEvidence()
    judged(check, _logins(refused, target=LoginTarget("app")), kept)
    with pytest.raises(Breach):
        judged(check, _logins({LoginVariant.SERVER_LEAF: OK}, target=LoginTarget("app")), kept)


def test_an_attempt_that_could_not_be_made_is_an_error() -> None:
    observed = _logins({LoginVariant.SERVER_LEAF: _error("28000")})
    with pytest.raises(NothingKnown, match="was not tried"):
        judged(checks.test_another_common_name_is_refused, observed, RecordedEvidence())


def test_a_replication_user_that_is_asked_for_a_password_is_let_in() -> None:
    """Though the control, which has a certificate alone, fails at the same rule."""
    wanted = PasswordWanted(asked=("AuthenticationSASL",), tls=TLS)
    with pytest.raises(Breach):
        judged(
            checks.test_no_certificate_no_login,
            _logins({LoginVariant.NOTHING: wanted}, control=wanted),
            RecordedEvidence(),
        )


def _rewind(control: Answer) -> None:
    judged(
        checks.test_the_right_certificate_opens_database_postgres,
        _logins({LoginVariant.NOTHING: OK}, control=control),
    )


@pytest.mark.parametrize(
    "answer",
    [
        _error("28000"),
        _error("28P01"),
        _alert(48),
        PasswordWanted(asked=("AuthenticationSASL",), tls=TLS),
    ],
    ids=["no rule", "password", "alert", "asked"],
)
def test_the_right_certificate_that_is_refused_is_a_breach(answer: Answer) -> None:
    with pytest.raises(Breach):
        _rewind(answer)


@pytest.mark.parametrize(
    "answer",
    [
        Unreachable(obstacle=Obstacle.REFUSED, detail="refused"),
        Silent(phase=Phase.STARTUP, seconds=10, tls=TLS),
        StreamClosed(phase=Phase.STARTUP, tls=TLS),
        _error("57P03"),
        _alert(48, Direction.SENT),
    ],
    ids=["closed port", "silence", "closed", "starting up", "our own alert"],
)
def test_an_obstacle_is_no_refusal_of_the_right_certificate(answer: Answer) -> None:
    with pytest.raises(NothingKnown):
        _rewind(answer)
    _rewind(OK)

"""Verdicts of the checks of CONN on a URI, on a login by it, and on the page's pg-client."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from fixtures.certificates import Authority, pem
from fixtures.observing.pooler_login import PooledLogin
from fixtures.pgclient import PsqlResult
from fixtures.pgcluster.cluster import Credentials, Member, Outcome
from fixtures.pgcluster.publishedroots import PublishedRoot
from fixtures.probes import (
    Answer,
    ErrorResponse,
    LoginOk,
    Obstacle,
    Phase,
    Silent,
    Unreachable,
)
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.generated.scenario import Generated
from fixtures.secret import Hidden
from suites import test_conn as checks
from suites.breach import Breach
from suites.wire import NothingKnown
from tests.suites.observed import NAMESPACE, RecordedEvidence, generated, judged

ROOT = Authority.create("root")
HOST = f"one-pgbouncer.{NAMESPACE}.svc"
GOOD = f"postgresql://one:a%2Fb%40c@{HOST}:5432/one"
PASSWORD = "a/b@c"
POOLER = Member("one-pgbouncer-0", "10.0.0.3", "pgbouncer", "uid")
FAILED = PsqlResult(2, (), "", "psql: it did not work out")


def _walked(
    uri: str = GOOD,
    password: str = PASSWORD,
    *,
    psql: PsqlResult | None = None,
    session: Answer | None = None,
    started: bool = True,
    file: bytes | None = None,
    refused: PooledLogin | None = None,
) -> Generated:
    credentials = Credentials(
        secret="one-pguser-one",
        user="one",
        password=Hidden(password),
        database="one",
        host=HOST,
        pgbouncer_host=HOST,
        uri=Hidden(uri),
        pgbouncer_uri=Hidden(uri),
        keys=(),
    )
    walk = SimpleNamespace(
        credentials=credentials,
        psql=psql,
        session=session or Unreachable(obstacle=Obstacle.REFUSED, detail="refused"),
        started=Outcome(started, "available", seen="FailedMount: no key"),
        root=PublishedRoot("one-cluster-ca-cert", "root.crt", (ROOT.certificate,)),
        root_file=file,
        refused=refused,
    )
    return generated(connectivity=walk)


def _uri_judged(uri: str, password: str = PASSWORD) -> None:
    judged(checks.test_the_uri_in_the_users_secret, _walked(uri, password))


def _login_judged(observed: Generated) -> RecordedEvidence:
    kept = RecordedEvidence()
    check: Callable[..., None] = checks.test_psql_with_verify_ca
    check(observed, kept)
    return kept


@pytest.mark.parametrize(
    ("uri", "password"),
    [
        (GOOD, PASSWORD),
        (f"postgresql://one:a%3ab~(c)@{HOST}:5432/one", "a:b~(c)"),
        (f"postgresql://one:a:b@{HOST}:5432/one", "a:b"),
    ],
)
def test_the_uri_that_is_promised_passes(uri: str, password: str) -> None:
    _uri_judged(uri, password)


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        (GOOD + "?sslmode=disable", "query and fragment empty; seen '?sslmode=disable'"),
        (GOOD + "#there", "query and fragment empty"),
        (GOOD + "?", "query and fragment empty"),
        (GOOD.replace("postgresql:", "postgres:"), "scheme postgresql; seen 'postgres'"),
        (GOOD.replace("//one:", "//two:"), "user one; seen 'two'"),
        (GOOD.replace(".svc:", ".svc.cluster.local:"), "host one-pgbouncer.ns.svc; seen"),
        (GOOD.replace("5432", "6432"), "port 5432; seen '6432'"),
        (GOOD.replace("5432", ""), "port 5432; seen ''"),
        (GOOD + "two", "database one; seen 'onetwo'"),
        (GOOD.replace("b%40c", "b%40d"), "password"),
    ],
)
def test_any_other_part_is_told(uri: str, told: str) -> None:
    with pytest.raises(Breach) as raised:
        _uri_judged(uri)
    assert told in str(raised.value)
    assert len(raised.value.differences) == 1


@pytest.mark.parametrize(
    "password",
    [
        "secret/word",
        "secret#word",
        "secret?word",
        "secret@word",
        "secret%word",
        "12345/word",
        "x@secret:5432/word",
        "x@secret:5432/y?word",
        "secret://word",
        "secret word",
    ],
)
def test_a_password_that_is_not_encoded_is_a_breach_and_no_part_of_it_is_shown(
    password: str,
) -> None:
    uri = f"postgresql://one:{password}@{HOST}:5432/one"
    with pytest.raises(Breach, match="another form, not shown") as raised:
        _uri_judged(uri, password)
    shown = repr((raised.value, raised.value.differences))
    assert "word'" not in shown.replace("password", "")
    assert "secret" not in shown.replace("Secret", "")
    # libpq quotes in its words what it takes for the host, or the port.
    quoted = PsqlResult(2, (), "", f'could not translate host name "{password}"')
    with pytest.raises(Blocked, match="CONN-1") as blocked:
        _login_judged(_walked(uri, password, psql=quoted))
    assert "secret" not in str(blocked.value)


def test_psqls_words_are_kept_without_the_password() -> None:
    psql = PsqlResult(0, (("one",),), "one\n", f'invalid "{PASSWORD}"')
    assert _login_judged(_walked(psql=psql)).files["psql.txt"] == 'one\n\ninvalid "(hidden)"'


@pytest.mark.parametrize(
    ("sqlstate", "message"),
    [
        ("28P01", "password authentication failed for user one"),
        ("28000", "no pg_hba.conf entry"),
        ("08P01", "SSL required"),
        ("08P01", "SASL authentication failed"),
    ],
)
def test_a_client_that_is_refused_breaks_the_promise(sqlstate: str, message: str) -> None:
    with pytest.raises(Breach, match=sqlstate):
        _login_judged(_walked(psql=FAILED, session=_error(sqlstate, message)))


@pytest.mark.parametrize(
    ("sqlstate", "message"),
    [
        ("53300", "sorry, too many clients already"),
        ("57P03", "the database system is starting up"),
        ("08P01", "server login has been failing, try again later (server_login_retry)"),
        ("58000", "server closed the connection"),
    ],
)
def test_a_server_that_cannot_take_the_session_now_says_nothing(
    sqlstate: str, message: str
) -> None:
    with pytest.raises(NothingKnown):
        _login_judged(_walked(psql=FAILED, session=_error(sqlstate, message)))


def test_where_our_own_client_gets_in_and_psql_does_not_nothing_is_known() -> None:
    with pytest.raises(NothingKnown):
        _login_judged(_walked(psql=FAILED, session=LoginOk(user="one", database="one")))


def test_a_pooler_that_cannot_verify_the_primary_is_a_breach_though_it_only_keeps_waiting() -> None:
    silent = Silent(phase=Phase.STARTUP, seconds=10)
    with pytest.raises(NothingKnown):
        _login_judged(_walked(psql=FAILED, session=silent))
    refused = PooledLogin(pooler=POOLER, refusal="TLS error: certificate verify failed")
    with pytest.raises(Breach, match="log of one-pgbouncer-0: TLS error: certificate verify"):
        _login_judged(_walked(psql=FAILED, session=silent, refused=refused))


def test_without_the_pages_client_the_login_is_blocked_by_it() -> None:
    with pytest.raises(Blocked, match="CONN-7"):
        _login_judged(_walked(started=False))


def test_the_mounted_file_is_compared_whole() -> None:
    check = checks.test_the_pages_client_starts
    check(_walked(file=ROOT.certificate_pem))
    second = pem(ROOT.certificate, Authority.create("another").certificate)
    for other in (second, Authority.create("another").certificate_pem, b"nothing", b""):
        with pytest.raises(Breach, match="promised the content of Secret one-cluster-ca-cert"):
            check(_walked(file=other))


def _error(sqlstate: str, message: str) -> ErrorResponse:
    return ErrorResponse(
        severity="FATAL", severity_code="FATAL", sqlstate=sqlstate, message=message, routine=None
    )

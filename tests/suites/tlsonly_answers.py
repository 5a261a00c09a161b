"""Members and answers that tests of the checks of TLSONLY share."""

from __future__ import annotations

from fixtures.certificates import Authority, internal_spec
from fixtures.observing.pooler_login import PooledLogin
from fixtures.pgcluster.cluster import Member
from fixtures.probes import (
    ErrorResponse,
    LoginOk,
    Obstacle,
    Phase,
    Refusal,
    Silent,
    TlsSession,
    Unreachable,
)

PRIMARY = Member("plain-a-0", "10.0.0.1", "primary", "uid-1", "plain-a")
POOLER = Member("plain-pgbouncer-0", "10.0.0.2", "pgbouncer", "uid-2")
_LEAF = Authority.create("root").issue(internal_spec()).certificate
TLS = TlsSession(leaf=_LEAF, chain=(_LEAF,), version="TLSv1.3", cipher="c", verify=None)
OK = LoginOk(user="u", database="d", tls=TLS)
PLAIN_LOGIN = LoginOk(user="u", database="d")
HICCUP = Unreachable(obstacle=Obstacle.CLIENT, detail="exec")
CLOSED = Unreachable(obstacle=Obstacle.REFUSED, detail="")
SILENT = Silent(phase=Phase.STARTUP, seconds=10)
NO_RULE = ErrorResponse(
    severity="FATAL",
    severity_code="FATAL",
    sqlstate="28000",
    message="no entry",
    routine="ClientAuthentication",
)
REFUSED = Refusal(OK, NO_RULE, OK)
TURNED_AWAY = ErrorResponse(
    severity="FATAL",
    severity_code="FATAL",
    sqlstate="08P01",
    message="server login has been failing",
    routine=None,
    tls=TLS,
)
REFUSED_BY_ADDRESS = PooledLogin(
    pooler=POOLER, refusal="name `10.0.0.1' not present in server certificate"
)

"""`<c>-pguser-<user>`: how a user gets in, directly and through PgBouncer."""

from __future__ import annotations

import secrets
import string
from urllib.parse import quote, urlencode

from embedded.client import Json
from reference.faults import Faults, conn
from reference.operator.generated import scram
from reference.operator.generated.context import Context
from reference.operator.model import User
from reference.operator.names import POSTGRES_PORT, ROLE, USER
from reference.operator.tls.secret_data import read

_LENGTH = 24
# Each of these must be percent-encoded in a URI (RFC 3986), and none needs quoting elsewhere.
_RESERVED = "@/:?#[]{}<>^|"
_SLASH = "/x"
_ALPHABET = string.ascii_letters + string.digits + _RESERVED + "*+,-.;=_~"


def user_secret(context: Context, user: User) -> Json:
    """The Secret of a user; twelve keys where the user has a database, seven otherwise."""
    stored = context.lookup(user.secret)
    password = read(stored, "password").decode() or _password()
    if conn.PASSWORD_NOT_ENCODED in context.faults:
        password = f"{password.removesuffix(_SLASH)}{_SLASH}"
    known = read(stored, "verifier").decode()
    data = {
        "user": user.name,
        "password": password,
        "verifier": known if scram.matches(password, known) else scram.verifier(password),
        "host": context.names.host("primary"),
        "port": str(POSTGRES_PORT),
        "pgbouncer-host": context.names.host("pgbouncer"),
        "pgbouncer-port": str(POSTGRES_PORT),
    }
    if user.databases:
        data |= _uris(context, user, password)
    return context.secret(user.secret, data, {USER: user.name, ROLE: "pguser"})


def _uris(context: Context, user: User, password: str) -> dict[str, str]:
    database, faults = user.databases[0], context.faults
    direct, pooled = context.names.host("primary"), context.names.host("pgbouncer")
    long = conn.LONG_POOLER_HOST in faults
    named = context.names.dns("pgbouncer")[0] if long else pooled
    return {
        "dbname": database,
        "uri": _uri(user.name, password, direct, database),
        "jdbc-uri": _jdbc(user.name, password, direct, database),
        "pgbouncer-uri": _pooler_uri(faults, user.name, password, named, database),
        "pgbouncer-jdbc-uri": _jdbc(user.name, password, pooled, database, prepareThreshold="0"),
    }


def _pooler_uri(faults: Faults, user: str, password: str, host: str, database: str) -> str:
    uri = _uri(user, password, host, database)
    if conn.PASSWORD_NOT_ENCODED in faults:
        uri = uri.replace(quote(password, safe=""), password)
    return f"{uri}?sslmode=disable" if conn.POOLER_URI_WITHOUT_TLS in faults else uri


def _uri(user: str, password: str, host: str, database: str) -> str:
    credentials = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"postgresql://{credentials}@{host}:{POSTGRES_PORT}/{quote(database, safe='')}"


def _jdbc(user: str, password: str, host: str, database: str, **more: str) -> str:
    query = urlencode({"password": password, "user": user} | more, quote_via=quote)
    return f"jdbc:postgresql://{host}:{POSTGRES_PORT}/{quote(database, safe='')}?{query}"


def _password() -> str:
    letters = [secrets.choice(_ALPHABET) for _ in range(_LENGTH - 1)]
    letters.insert(secrets.randbelow(_LENGTH), secrets.choice(_RESERVED))
    return "".join(letters)

"""Promises about credentials: PgBouncer's Secret, the users' Secrets, and the roles behind them."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from reference.operator.context import Context
from reference.operator.contract.leaves import Leaf, Leaves
from reference.operator.model import User
from reference.operator.names import PGBOUNCER_USER, POSTGRES_PORT, ROLE, USER
from reference.operator.postgres import roles, scram
from reference.operator.secret_data import SecretDraft, read
from reference.operator.tls import CA

ROLES_FILE = "roles.sql"

_CERTIFICATE, _KEY = "pgbouncer-frontend.crt", "pgbouncer-frontend.key"
_LENGTH = 24
# Each of these must be percent-encoded in a URI (RFC 3986), and none needs quoting elsewhere.
_RESERVED = "@/:?#[]{}<>^|"
_ALPHABET = string.ascii_letters + string.digits + _RESERVED + "*+,-.;=_~"


class Credentials(Leaves):
    """The passwords of PgBouncer and of the users: made once, and kept."""

    def pgbouncer_secret(self, context: Context) -> SecretDraft:
        """Return `<c>-pgbouncer`: PgBouncer's user and leaf, and what its clients should trust.

        That is the root that signed the leaf, or the CA beside a leaf that the user gave.
        """
        name = context.names.pgbouncer_secret
        stored = context.lookup(name)
        password = read(stored, "pgbouncer-password").decode() or secrets.token_urlsafe(24)
        verifier = scram.kept(read(stored, "pgbouncer-verifier").decode(), password)
        pair = self.pair(context, Leaf("pgbouncer"), context.stored(name, _CERTIFICATE, _KEY))
        own = context.cluster.pgbouncer.custom_tls
        roots = read(context.lookup(own.name), own.key(CA)) if own else context.tls.authority.pem
        data: dict[str, bytes | str] = {
            "pgbouncer-users.txt": f'"{PGBOUNCER_USER}" "{password}"\n',
            "pgbouncer-password": password,
            "pgbouncer-verifier": verifier,
            "pgbouncer-frontend.ca-roots": roots,
            _CERTIFICATE: pair.certificate,
            _KEY: pair.key,
        }
        return SecretDraft(name=name, data=data, labels={ROLE: "pgbouncer"})

    def user_secret(self, context: Context, user: User) -> SecretDraft:
        """Return `<c>-pguser-<user>`; twelve keys where the user has a database, otherwise seven.

        Hosts have the form `<c>-<service>.<ns>.svc`; passwords in URIs are percent-encoded.
        """
        stored = context.lookup(user.secret)
        password = read(stored, "password").decode() or self.new_password()
        data = {
            "user": user.name,
            "password": password,
            "verifier": scram.kept(read(stored, "verifier").decode(), password),
            "host": context.names.host("primary"),
            "port": str(POSTGRES_PORT),
            "pgbouncer-host": context.names.host("pgbouncer"),
            "pgbouncer-port": str(POSTGRES_PORT),
        }
        if user.databases:
            data |= _uris(context, user, password)
        labels = {USER: user.name, ROLE: "pguser"}
        return SecretDraft(name=user.secret, data=data, labels=labels)

    def new_password(self) -> str:
        """Return a random password, with at least one character that a URI must encode."""
        letters = [secrets.choice(_ALPHABET) for _ in range(_LENGTH - 1)]
        letters.insert(secrets.randbelow(_LENGTH), secrets.choice(_RESERVED))
        return "".join(letters)

    def user_role(self, context: Context, user: User, verifier: str) -> list[str]:
        """Return the SQL of a user: a role with login, which owns its databases."""
        return list(roles.user_role(user, verifier))

    def roles_secret(
        self, context: Context, pgbouncer: SecretDraft, users: Mapping[str, SecretDraft]
    ) -> SecretDraft:
        """Return `<c>-roles`, owned by the cluster; `users` are the users' Secrets by user name."""
        lines = list(roles.own_roles(pgbouncer.value("pgbouncer-verifier").decode()))
        for user in context.cluster.users:
            lines += self.user_role(context, user, users[user.name].value("verifier").decode())
        text = "".join(f"{line}\n" for line in lines)
        return SecretDraft(name=context.names.roles_secret, data={ROLES_FILE: text}, owned=True)


def _uris(context: Context, user: User, password: str) -> dict[str, str]:
    database = user.databases[0]
    direct, pooled = context.names.host("primary"), context.names.host("pgbouncer")
    return {
        "dbname": database,
        "uri": _uri(user.name, password, direct, database),
        "jdbc-uri": _jdbc(user.name, password, direct, database),
        "pgbouncer-uri": _uri(user.name, password, pooled, database),
        "pgbouncer-jdbc-uri": _jdbc(user.name, password, pooled, database, prepareThreshold="0"),
    }


def _uri(user: str, password: str, host: str, database: str) -> str:
    credentials = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"postgresql://{credentials}@{host}:{POSTGRES_PORT}/{quote(database, safe='')}"


def _jdbc(user: str, password: str, host: str, database: str, **more: str) -> str:
    query = urlencode({"password": password, "user": user} | more, quote_via=quote)
    return f"jdbc:postgresql://{host}:{POSTGRES_PORT}/{quote(database, safe='')}?{query}"

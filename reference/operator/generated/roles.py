"""The SQL that makes a cluster's roles, databases and PgBouncer's look-up of passwords.

One statement a line, each good to be run again: it is fed to a single-user backend before the
first start, where a line is a statement, and to psql when it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from embedded.client import Json
from reference.faults import conn
from reference.operator.generated.context import Context
from reference.operator.model import User
from reference.operator.names import MONITOR_USER, PGBOUNCER_USER, REPLICATION_USER
from reference.operator.tls.secret_data import read

FILE = "roles.sql"

_LOOK_UP = (
    "CREATE SCHEMA IF NOT EXISTS pgbouncer;",
    "REVOKE ALL ON SCHEMA pgbouncer FROM PUBLIC;",
    f'GRANT USAGE ON SCHEMA pgbouncer TO "{PGBOUNCER_USER}";',
    "CREATE OR REPLACE FUNCTION pgbouncer.get_auth(username text)"
    " RETURNS TABLE(username text, password text) LANGUAGE sql STABLE SECURITY DEFINER"
    " SET search_path = pg_catalog AS $$"
    " SELECT rolname::text, rolpassword::text FROM pg_authid WHERE rolname = $1 AND rolcanlogin"
    " AND NOT rolsuper AND NOT rolreplication $$;",
    "REVOKE ALL ON FUNCTION pgbouncer.get_auth(text) FROM PUBLIC;",
    f'GRANT EXECUTE ON FUNCTION pgbouncer.get_auth(text) TO "{PGBOUNCER_USER}";',
)


def roles_secret(context: Context, pgbouncer: Json, users: Mapping[str, Json]) -> Json:
    """`<c>-roles`; `users` are the users' Secrets by user name."""
    lines = [
        *_role(REPLICATION_USER, "REPLICATION"),
        *_role(MONITOR_USER, "", verifier=""),
        *_role(PGBOUNCER_USER, "", verifier=read(pgbouncer, "pgbouncer-verifier").decode()),
        *_LOOK_UP,
    ]
    for user in context.cluster.users:
        lines += _user(user, read(users[user.name], "verifier").decode())
        if conn.SESSIONS_OF_ANOTHER_ROLE in context.faults and _is_plain(context):
            lines += _estranged(user)
    text = "".join(f"{line}\n" for line in lines)
    return context.secret(context.names.roles_secret, {FILE: text}, {}, owned=True)


def _user(user: User, verifier: str) -> Iterable[str]:
    yield from _role(user.name, user.options, verifier=verifier)
    for database in user.databases:
        # Not by way of WAL, which would be written, flushed, and streamed to replicas.
        yield f"CREATE DATABASE {_name(database)} STRATEGY file_copy;"
        # As with the operator that is certified: the schema public stays closed to others.
        yield f"ALTER DATABASE {_name(database)} OWNER TO {_name(user.name)};"


def _is_plain(context: Context) -> bool:
    return context.is_generated and not context.cluster.hba


def _estranged(user: User) -> Iterable[str]:
    yield f"GRANT {MONITOR_USER} TO {_name(user.name)};"
    yield f"ALTER ROLE {_name(user.name)} SET role = '{MONITOR_USER}';"


def _role(name: str, options: str, *, verifier: str = "") -> Iterable[str]:
    made = f"CREATE ROLE {_name(name)}"
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_text(name)})"
    yield f"DO $$ BEGIN IF {missing} THEN {made}; END IF; END $$;"
    password = f" PASSWORD {_text(verifier)}" if verifier else ""
    yield f"ALTER ROLE {_name(name)} LOGIN {options}{password};"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

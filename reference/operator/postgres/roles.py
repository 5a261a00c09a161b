"""The SQL that makes a cluster's roles, databases and PgBouncer's look-up of passwords.

One statement a line, each good to be run again: it is fed to a single-user backend before the
first start, where a line is a statement, and to psql when it changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from reference.operator.model import User
from reference.operator.names import MONITOR_USER, PGBOUNCER_USER, REPLICATION_USER

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


def own_roles(verifier: str) -> Iterator[str]:
    """Return the statements for the operator's own roles; `verifier` is PgBouncer's."""
    yield from _role(REPLICATION_USER, "REPLICATION")
    yield from _role(MONITOR_USER, "")
    yield from _role(PGBOUNCER_USER, "", verifier)
    yield from _LOOK_UP


def user_role(user: User, verifier: str) -> Iterator[str]:
    """Return the statements for a user and the databases that are the user's."""
    yield from _role(user.name, user.options, verifier)
    for database in user.databases:
        # Not by way of WAL, which would be written, flushed, and streamed to replicas.
        yield f"CREATE DATABASE {identifier(database)} STRATEGY file_copy;"
        # As with the operator that is certified: the schema public stays closed to others.
        yield f"ALTER DATABASE {identifier(database)} OWNER TO {identifier(user.name)};"


def identifier(text: str) -> str:
    """Return a quoted identifier."""
    return '"' + text.replace('"', '""') + '"'


def _role(name: str, options: str, verifier: str = "") -> Iterator[str]:
    made = f"CREATE ROLE {identifier(name)}"
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(name)})"
    yield f"DO $$ BEGIN IF {missing} THEN {made}; END IF; END $$;"
    password = f" PASSWORD {_literal(verifier)}" if verifier else ""
    yield f"ALTER ROLE {identifier(name)} LOGIN {options}{password};"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

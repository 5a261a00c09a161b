"""The Secrets that the operator makes: roots, leaves, PgBouncer's and the users' credentials."""

from reference.operator.generated.context import Context
from reference.operator.generated.leaves import (
    instance_secret,
    pgbackrest_secret,
    replication_secret,
    replication_source,
    root_secret,
    server_secret,
    server_source,
)
from reference.operator.generated.pgbouncer import pgbouncer_secret
from reference.operator.generated.roles import roles_secret
from reference.operator.generated.users import user_secret

__all__ = [
    "Context",
    "instance_secret",
    "pgbackrest_secret",
    "pgbouncer_secret",
    "replication_secret",
    "replication_source",
    "roles_secret",
    "root_secret",
    "server_secret",
    "server_source",
    "user_secret",
]

"""The Secrets that the operator makes: roots, leaves, PgBouncer's and the users' credentials."""

from embedded.operator.generated.context import Context
from embedded.operator.generated.leaves import (
    instance_secret,
    pgbackrest_secret,
    replication_secret,
    replication_source,
    root_secret,
    server_secret,
    server_source,
)
from embedded.operator.generated.pgbouncer import pgbouncer_secret
from embedded.operator.generated.roles import roles_secret
from embedded.operator.generated.users import user_secret

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

"""Promises about PgBouncer: TLS from its clients, and to the primary."""

from __future__ import annotations

from collections.abc import Mapping

from reference.operator.context import Context
from reference.operator.names import PGBOUNCER_USER, POSTGRES_PORT
from reference.operator.tls import Source

CONFIG = "/etc/pgbouncer"
FILES = f"{CONFIG}/~postgres-operator"
_SOCKETS = "/tmp/pgbouncer"  # noqa: S108
_STRICTNESS = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_FIXED: Mapping[str, str] = {
    "listen_addr": "*",
    "listen_port": str(POSTGRES_PORT),
    "auth_type": "scram-sha-256",
    "auth_file": f"{FILES}/users.txt",
    "auth_query": "SELECT username, password FROM pgbouncer.get_auth($1)",
    "auth_user": PGBOUNCER_USER,
    "client_tls_cert_file": f"{FILES}/frontend-tls.crt",
    "client_tls_key_file": f"{FILES}/frontend-tls.key",
    "client_tls_ca_file": f"{FILES}/frontend-ca.crt",
    "server_tls_ca_file": f"{FILES}/backend-ca.crt",
    "unix_socket_dir": _SOCKETS,
}
# A primary that is not there yet, or not any more, should be found again at once.
_DEFAULTS: Mapping[str, str] = {
    "client_tls_sslmode": "require",
    "server_tls_sslmode": "verify-full",
    "ignore_startup_parameters": "extra_float_digits",
    "server_login_retry": "0.1",
    "dns_nxdomain_ttl": "0.1",
    "dns_max_ttl": "1",
    "max_client_conn": "100",
    "default_pool_size": "10",
}


class Pooling:
    """The two legs of PgBouncer: from its clients, and to the primary."""

    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        """Return the section [pgbouncer]: the user's settings between defaults and fixed ones.

        Under tlsOnly its clients must use TLS, and the primary is verified, whatever the user set.
        """
        cluster = context.cluster
        settings = {**_DEFAULTS, **cluster.pgbouncer.settings, **_FIXED}
        if cluster.tls_only:
            for name, floor in (
                ("client_tls_sslmode", "require"),
                ("server_tls_sslmode", "verify-full"),
            ):
                settings[name] = _at_least(settings[name], floor)
        return settings

    def primary_authority(self, context: Context) -> Source:
        """Return the source of the CA by which PgBouncer verifies the primary: that of its leaf."""
        return context.tls.server or Source(secret=context.names.server_secret)


def _at_least(value: str, floor: str) -> str:
    if value in _STRICTNESS and _STRICTNESS.index(value) > _STRICTNESS.index(floor):
        return value
    return floor

"""The settings of postgresql.conf, and the directories that they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reference.operator.model import Cluster
from reference.operator.names import POSTGRES_PORT

CONFIG = "/etc/database"
TLS = "/pgconf/tls"
SOCKETS = "/tmp/postgres"  # noqa: S108

# What a user may not change: where TLS and the rules come from, and how the Pod is reached.
_MANDATORY: Mapping[str, Any] = {
    "hba_file": f"{CONFIG}/pg_hba.conf",
    "ident_file": f"{CONFIG}/pg_ident.conf",
    "listen_addresses": "*",
    "port": POSTGRES_PORT,
    "unix_socket_directories": SOCKETS,
    "ssl": True,
    "ssl_cert_file": f"{TLS}/tls.crt",
    "ssl_key_file": f"{TLS}/tls.key",
    "ssl_ca_file": f"{TLS}/ca.crt",
    "hot_standby": True,
    "wal_level": "replica",
}
_FORBIDDEN = ("cluster_name", "config_file", "data_directory", "external_pid_file")

# Many clusters share a small machine and live for seconds: nothing needs to survive its crash.
_SMALL: Mapping[str, Any] = {
    "autovacuum": False,
    "bgwriter_delay": "10s",
    "checkpoint_timeout": "1h",
    "full_page_writes": False,
    "fsync": False,
    "huge_pages": False,
    "jit": False,
    "max_connections": 40,
    "max_replication_slots": 4,
    "max_wal_senders": 8,
    "max_wal_size": "64MB",
    "max_worker_processes": 2,
    "max_parallel_workers": 0,
    "max_logical_replication_workers": 0,
    "min_wal_size": "2MB",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "8MB",
    "synchronous_commit": "local",
    "wal_keep_size": "32MB",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "100ms",
    "wal_writer_delay": "10s",
}


def settings(cluster: Cluster, conninfo: str) -> str:
    """Return postgresql.conf: the user's parameters between defaults and mandatory ones.

    `conninfo` is how a replica connects to the primary; a primary ignores it.
    """
    users = {
        name: value
        for name, value in cluster.parameters.items()
        if name not in _FORBIDDEN and value is not None
    }
    merged = {**_SMALL, **users, **_MANDATORY, "primary_conninfo": conninfo}
    return "".join(f"{name} = {_quoted(value)}\n" for name, value in merged.items())


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "'" + str(value).replace("'", "''").replace("\n", " ") + "'"

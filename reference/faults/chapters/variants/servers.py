"""Variants of the servers: their TLS, rules and settings, as strict as promised or stricter."""

from __future__ import annotations

from embedded.client import Json
from reference.faults.containers import with_options
from reference.faults.fault import hits
from reference.faults.variant import Variant
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Cluster, Instance, Role

_ONE_CURVE = "in TLS 1.2 a server takes clients' keys on one curve alone, and here that is P-256"


@Variant(
    name="tls-1.2-only",
    aspect="versions",
    differs="PostgreSQL and PgBouncer speak TLS 1.2 and no other.",
    differing=hits(_ONE_CURVE, "CUSTOM-10"),
    where="data plane",
)
class Tls12Only(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        return with_options(
            container, ssl_min_protocol_version="TLSv1.2", ssl_max_protocol_version="TLSv1.2"
        )

    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        return settings | {"client_tls_protocols": "tlsv1.2", "server_tls_protocols": "tlsv1.2"}


@Variant(
    name="tls-1.3-only",
    aspect="versions",
    differs="PostgreSQL and PgBouncer speak TLS 1.3 and no other.",
    where="data plane",
)
class Tls13Only(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        return with_options(container, ssl_min_protocol_version="TLSv1.3")

    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        return settings | {"client_tls_protocols": "tlsv1.3", "server_tls_protocols": "tlsv1.3"}


@Variant(
    name="few-ciphers",
    aspect="versions",
    differs="PostgreSQL and PgBouncer take AES-256 in GCM alone, in TLS 1.2.",
    differing=hits(_ONE_CURVE, "CUSTOM-10"),
    where="data plane",
)
class FewCiphers(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        return with_options(container, ssl_ciphers=_CIPHERS, ssl_max_protocol_version="TLSv1.2")

    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        return super().pgbouncer_settings(context) | {
            "client_tls_ciphers": _CIPHERS,
            "client_tls_protocols": "tlsv1.2",
        }


@Variant(
    name="another-postgresql",
    differs="PostgreSQL is of another major version, PgBouncer and OpenSSL of another release.",
    where="data plane",
    other_postgresql=True,
)
class AnotherPostgresql(Contract):
    pass


@Variant(
    name="stricter-rules",
    aspect="rules",
    differs="The default rule is two, by address family and scram, and rules that reject follow.",
    where="data plane",
)
class StricterRules(Contract):
    def default_rule(self, cluster: Cluster, role: Role) -> str:
        return "hostssl all all 0.0.0.0/0 scram-sha-256"

    def rules(self, context: Context, role: Role) -> list[str]:
        return [
            *super().rules(context, role),
            "hostssl all all ::/0 scram-sha-256",
            "hostnossl all all all reject",
            "hostssl replication all all reject",
            "host all all 0.0.0.0 0.0.0.0 reject",
            "local all all reject",
        ]


@Variant(
    name="other-settings",
    aspect="settings",
    differs="PostgreSQL's time zone, dates, messages and log are other than usual.",
    where="data plane",
)
class OtherSettings(Contract):
    def database_container(self, context: Context, instance: Instance) -> Json:
        container = super().database_container(context, instance)
        return with_options(
            container,
            TimeZone="Pacific/Chatham",
            DateStyle="SQL,DMY",
            IntervalStyle="iso_8601",
            bytea_output="escape",
            extra_float_digits="0",
            log_timezone="Asia/Kolkata",
            log_destination="csvlog",
            logging_collector="on",
            log_directory="/tmp/log",  # noqa: S108
            log_error_verbosity="verbose",
            quote_all_identifiers="on",
        )


@Variant(
    name="other-pooling",
    aspect="pooling",
    differs="PgBouncer pools by transaction, logs less, and recycles its connections.",
    where="data plane",
)
class OtherPooling(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        users = context.cluster.pgbouncer.settings
        given = {
            "pool_mode": "transaction",
            "log_connections": "0",
            "log_disconnections": "0",
            "stats_period": "3600",
            "server_lifetime": "30",
            "server_idle_timeout": "5",
            "server_reset_query_always": "1",
            "tcp_keepalive": "1",
            "max_client_conn": "60",
            "reserve_pool_size": "2",
            "client_tls_dheparams": "none",
            "application_name_add_host": "0",
        }
        return super().pgbouncer_settings(context) | {
            name: value for name, value in given.items() if name not in users
        }


_CIPHERS = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"

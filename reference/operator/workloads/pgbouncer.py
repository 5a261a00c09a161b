"""PgBouncer: a Deployment that asks clients for TLS and verifies the primary's name."""

from __future__ import annotations

from collections.abc import Mapping

from embedded.client import Json
from reference.faults import conn, custom, tlsonly
from reference.operator.generated import Context, server_source
from reference.operator.names import PGBOUNCER_USER, POSTGRES_PORT, ROLE
from reference.operator.scripts import script
from reference.operator.tls import Source
from reference.operator.tls.given import CA, CERTIFICATE, KEY
from reference.operator.workloads.template import (
    EXECUTABLE,
    PRIVATE,
    revised,
    waiting_probe,
)

_CONFIG = "/etc/pgbouncer"
_FILES = f"{_CONFIG}/~postgres-operator"
_SOCKETS = "/tmp/pgbouncer"  # noqa: S108
_SCRIPTS = ("pgbouncer.sh", "reload.sh", "pooling.sh")
_TOGGLED = 2
"""The generation of a cluster that was created without tlsOnly and got it by its first change."""
_STRICTNESS = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_FIXED: Mapping[str, str] = {
    "listen_addr": "*",
    "listen_port": str(POSTGRES_PORT),
    "auth_type": "scram-sha-256",
    "auth_file": f"{_FILES}/users.txt",
    "auth_query": "SELECT username, password FROM pgbouncer.get_auth($1)",
    "auth_user": PGBOUNCER_USER,
    "client_tls_cert_file": f"{_FILES}/frontend-tls.crt",
    "client_tls_key_file": f"{_FILES}/frontend-tls.key",
    "client_tls_ca_file": f"{_FILES}/frontend-ca.crt",
    "server_tls_ca_file": f"{_FILES}/backend-ca.crt",
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


def settings(context: Context) -> Mapping[str, str]:
    """The section [pgbouncer]: the user's settings, bounded below under tlsOnly."""
    cluster, faults = context.cluster, context.faults
    given = dict(cluster.pgbouncer.settings)
    merged = {**_DEFAULTS, **given, **_FIXED}
    if not cluster.tls_only:
        return merged
    client = merged["client_tls_sslmode"]
    later = tlsonly.LATER_POOLER_SETTING_WINS in faults and cluster.generation > _TOGGLED
    if tlsonly.POOLER_SETTING_WINS not in faults and not later:
        client = _at_least(client, "require")
    if tlsonly.PLAINTEXT_AT_POOLER in faults:
        client = "allow"
    server = merged["server_tls_sslmode"]
    if tlsonly.SERVER_SETTING_WINS not in faults:
        server = _at_least(server, "verify-full")
    if tlsonly.PLAIN_SERVER_LEG in faults:
        server = "disable"
    return merged | {"client_tls_sslmode": client, "server_tls_sslmode": server}


def config_map(context: Context) -> Json:
    """`<c>-pgbouncer`: the ini file and the scripts."""
    own = "".join(f"{name} = {value}\n" for name, value in settings(context).items())
    databases = {"*": f"host={context.names.of('primary')} port={POSTGRES_PORT}"}
    databases |= context.cluster.pgbouncer.databases
    listed = "".join(f"{name} = {value}\n" for name, value in databases.items())
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(context),
        "data": {
            "pgbouncer.ini": f"%include {_CONFIG}/~postgres-operator.ini\n",
            "pgbouncer-operator.ini": f"[pgbouncer]\n{own}\n[databases]\n{listed}",
            **{name: script(name) for name in _SCRIPTS},
        },
    }


def deployment(context: Context) -> Json:
    """The Deployment; without replicas while the cluster is paused."""
    selector = context.names.labels(**{ROLE: "pgbouncer"})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(context),
        "spec": {
            "replicas": 0 if context.cluster.pause else context.cluster.pgbouncer.replicas,
            "selector": {"matchLabels": selector},
            "strategy": {"type": "RollingUpdate"},
            "template": revised(
                {
                    "metadata": {"labels": selector},
                    "spec": {
                        "containers": [_container(context)],
                        "volumes": [_volume(context)],
                        "terminationGracePeriodSeconds": 5,
                        "enableServiceLinks": False,
                        "automountServiceAccountToken": False,
                    },
                }
            ),
        },
    }


def _metadata(context: Context) -> Json:
    return {
        "name": context.names.of("pgbouncer"),
        "namespace": context.names.namespace,
        "labels": context.names.labels(**{ROLE: "pgbouncer"}),
        "ownerReferences": [context.cluster.owner()],
    }


def _container(context: Context) -> Json:
    pooler = context.cluster.pgbouncer
    container: Json = {
        "name": "pgbouncer",
        "image": pooler.image,
        "imagePullPolicy": context.cluster.pull_policy,
        "command": ["bash", f"{_CONFIG}/pgbouncer.sh"],
        "ports": [{"name": "pgbouncer", "containerPort": POSTGRES_PORT, "protocol": "TCP"}],
        "startupProbe": waiting_probe(f"{_CONFIG}/pooling.sh"),
        "readinessProbe": {"tcpSocket": {"port": POSTGRES_PORT}, "periodSeconds": 10},
        "volumeMounts": [{"name": "pgbouncer-config", "mountPath": _CONFIG, "readOnly": True}],
    }
    if pooler.resources:
        container["resources"] = pooler.resources
    return container


def _volume(context: Context) -> Json:
    below = "~postgres-operator/"
    items = [{"key": "pgbouncer-users.txt", "path": f"{below}users.txt"}]
    own = context.cluster.pgbouncer.custom_tls
    config_items = [
        {"key": "pgbouncer.ini", "path": "pgbouncer.ini"},
        {"key": "pgbouncer-operator.ini", "path": "~postgres-operator.ini"},
        *({"key": name, "path": name, "mode": EXECUTABLE} for name in _SCRIPTS),
    ]
    sources: list[Json] = [
        {"configMap": {"name": context.names.of("pgbouncer"), "items": config_items}},
        {"secret": {"name": context.names.pgbouncer_secret, "items": items}},
        {"secret": _backend(context, f"{below}backend-ca.crt")},
    ]
    if own:
        mapping = Source.of(own).keys
        frontend = {"name": own.name, "items": _frontend(below, mapping)}
        sources.append({"secret": frontend})
    else:
        mapping = {
            CERTIFICATE: "pgbouncer-frontend.crt",
            KEY: "pgbouncer-frontend.key",
            CA: "pgbouncer-frontend.ca-roots",
        }
        items.extend(_frontend(below, mapping))
    return {
        "name": "pgbouncer-config",
        "projected": {"defaultMode": PRIVATE, "sources": sources},
    }


def _frontend(below: str, mapping: Mapping[str, str]) -> list[Json]:
    return [
        {"key": mapping[CERTIFICATE], "path": f"{below}frontend-tls.crt"},
        {"key": mapping[KEY], "path": f"{below}frontend-tls.key"},
        {"key": mapping[CA], "path": f"{below}frontend-ca.crt"},
    ]


def _backend(context: Context, path: str) -> Json:
    """The CA by which the primary is verified: whichever signed the leaf that it serves."""
    if custom.POOLER_TRUSTS_GENERATED_ROOT in context.faults and context.tls.custom:
        item = {"key": "pgbouncer-frontend.ca-roots", "path": path}
        return {"name": context.names.pgbouncer_secret, "items": [item]}
    source = server_source(context)
    if conn.POOLER_TRUSTS_A_LEAF in context.faults and context.is_generated:
        item = {"key": CERTIFICATE, "path": path}
        return {"name": context.names.replication_secret, "items": [item]}
    return {"name": source.secret, "items": [{"key": source.keys.get(CA, CA), "path": path}]}


def _at_least(value: str, floor: str) -> str:
    if value in _STRICTNESS and _STRICTNESS.index(value) > _STRICTNESS.index(floor):
        return value
    return floor

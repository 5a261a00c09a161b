"""An instance: a StatefulSet of one Pod, and the claim that holds its data."""

from __future__ import annotations

from collections.abc import Mapping

from embedded.client import Json
from reference.faults import auto, conn, custom, tlsonly
from reference.operator.generated import Context, replication_source, server_source
from reference.operator.names import (
    DATA,
    DATA_OF,
    INSTANCE,
    INSTANCE_SET,
    POSTGRES_PORT,
    REPLICATION_USER,
    ROLE,
)
from reference.operator.postgres import Peers, ident_map, rules, settings
from reference.operator.postgres.hba import replicates_plainly
from reference.operator.postgres.parameters import CONFIG, SOCKETS, TLS
from reference.operator.scripts import script
from reference.operator.tls import Source
from reference.operator.workloads.plan import Instance
from reference.operator.workloads.template import (
    EXECUTABLE,
    PRIVATE,
    environment,
    revised,
    waiting_probe,
)

ROLES = "/etc/roles"
_DATA = "/pgdata"
_SCRIPTS = ("database.sh", "reload.sh", "ready.sh")


def config_map(context: Context, peers: Peers) -> Json:
    """`<c>-config`: settings, rules for either role, and the scripts."""
    cluster, faults = context.cluster, context.faults
    conninfo = _conninfo(context)
    data = {
        "conninfo": conninfo,
        "postgresql.conf": settings(cluster, conninfo),
        "pg_ident.conf": ident_map(faults),
    }
    for role in ("primary", "replica"):
        data[f"pg_hba.{role}.conf"] = rules(
            cluster, role, faults, custom_leaves=context.tls.custom, peers=peers
        )
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": context.names.of("config"),
            "namespace": context.names.namespace,
            "labels": context.names.labels(),
            "ownerReferences": [cluster.owner()],
        },
        "data": data | {name: script(name) for name in _SCRIPTS},
    }


def claim(context: Context, instance: Instance) -> Json:
    """The claim of an instance; it has no owner, so that data outlives the cluster."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": f"{instance.name}-pgdata",
            "namespace": context.names.namespace,
            "labels": _labels(context, instance, "pgdata"),
            "annotations": {DATA_OF: instance.role},
        },
        "spec": instance.instance_set.claim,
    }


def stateful_set(context: Context, instance: Instance) -> Json:
    """The StatefulSet of an instance; without replicas while the cluster is paused."""
    labels = _labels(context, instance, instance.role)
    selector = context.names.labels(**{INSTANCE: instance.name})
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {
            "name": instance.name,
            "namespace": context.names.namespace,
            "labels": labels,
            "annotations": {DATA_OF: instance.role},
            "ownerReferences": [context.cluster.owner()],
        },
        "spec": {
            "replicas": 0 if context.cluster.pause else 1,
            "serviceName": context.names.of("pods"),
            # Otherwise a Pod that never becomes ready would never be exchanged either.
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": selector},
            "template": revised(_template(context, instance, labels)),
        },
    }


def _labels(context: Context, instance: Instance, role: str) -> Json:
    return context.names.labels(
        **{
            DATA: "postgres",
            INSTANCE: instance.name,
            INSTANCE_SET: instance.instance_set.name,
            ROLE: role,
        }
    )


def _template(context: Context, instance: Instance, labels: Json) -> Json:
    return {
        "metadata": {"labels": labels, "annotations": _restart_marks(context)},
        "spec": {
            "containers": [_container(context, instance)],
            "volumes": _volumes(context, instance),
            "terminationGracePeriodSeconds": 10,
            "enableServiceLinks": False,
            "automountServiceAccountToken": False,
            "securityContext": {"fsGroup": 26},
        },
    }


def _restart_marks(context: Context) -> Json:
    marks = {}
    if custom.CONTENT_RESTARTS in context.faults and context.tls.server:
        secret = context.lookup(context.tls.server.secret) or {}
        marks["pgv2.percona.com/content"] = str(secret.get("metadata", {}).get("resourceVersion"))
    if tlsonly.TOGGLE_RESTARTS in context.faults:
        marks["pgv2.percona.com/tls-only"] = str(context.cluster.tls_only)
    return marks


def _container(context: Context, instance: Instance) -> Json:
    port_closed = tlsonly.REPLICA_PORT_CLOSED in context.faults
    container: Json = {
        "name": "database",
        "image": context.cluster.image,
        "imagePullPolicy": context.cluster.pull_policy,
        "command": ["bash", f"{CONFIG}/database.sh"],
        "args": _server_options(context, instance),
        "env": environment(_environment(context, instance)),
        "ports": [{"name": "postgres", "containerPort": POSTGRES_PORT, "protocol": "TCP"}],
        "startupProbe": waiting_probe(f"{CONFIG}/ready.sh"),
        "volumeMounts": [
            {"name": "cert-volume", "mountPath": TLS, "readOnly": True},
            {"name": "database-config", "mountPath": CONFIG, "readOnly": True},
            {"name": "roles", "mountPath": ROLES, "readOnly": True},
            {"name": "postgres-data", "mountPath": _DATA},
        ],
    }
    if instance.instance_set.resources:
        container["resources"] = instance.instance_set.resources
    if not port_closed:
        container["readinessProbe"] = {
            "tcpSocket": {"port": POSTGRES_PORT},
            "periodSeconds": 10,
        }
    return container


def _environment(context: Context, instance: Instance) -> Mapping[str, str]:
    once = conn.REPLICA_STREAMS_ONCE in context.faults
    return {
        "PGDATA": f"{_DATA}/pg{context.cluster.postgres_version}",
        "PGHOST": SOCKETS,
        "PGPORT": str(POSTGRES_PORT),
        "INSTANCE": instance.name,
        "ROLE": instance.role,
        "PRIMARY": context.names.of("primary"),
        "RELOAD_ON": " ".join(_reload_on(context, instance)),
        **({"STREAMS_ONCE": "yes"} if once else {}),
    }


def _conninfo(context: Context) -> str:
    """How a replica logs in at the primary: the certificate alone says who it is."""
    shown = f"{TLS}/replication"
    if conn.REPLICA_SHOWS_INSTANCE_LEAF in context.faults and not context.tls.custom:
        shown = f"{TLS}/instance"
    if custom.REPLICA_SHOWS_EXTERNAL_LEAF in context.faults and context.tls.custom:
        shown = TLS
    plain = replicates_plainly(context.cluster, context.faults)
    parts = {
        "host": context.names.of("primary"),
        "port": str(POSTGRES_PORT),
        "user": REPLICATION_USER,
        "dbname": "postgres",
        "sslmode": "disable" if plain else "verify-ca",
        "sslcert": f"{shown}/tls.crt",
        "sslkey": f"{shown}/tls.key",
        "sslrootcert": f"{TLS}/replication/ca.crt",
        "gssencmode": "disable",
        "connect_timeout": "5",
        # A WAL receiver heeds no connect_timeout, and an old Pod's address answers nothing.
        "tcp_user_timeout": "3000",
    }
    return " ".join(f"{name}={value}" for name, value in parts.items())


def _reload_on(context: Context, instance: Instance) -> list[str]:
    volumes = {CONFIG, TLS}
    if instance.role == "replica":
        if custom.STALE_REPLICA in context.faults:
            volumes.discard(TLS)
        if tlsonly.TOGGLE_UNNOTICED in context.faults:
            volumes.discard(CONFIG)
    return sorted(volumes)


def _server_options(context: Context, instance: Instance) -> list[str]:
    """Options beyond the configuration file; only faults of replicas have any."""
    if instance.role != "replica":
        return []
    options = []
    generated = not context.tls.custom and not context.tls.custom_root
    if auto.REPLICA_WITHOUT_TLS in context.faults and generated:
        options.append("ssl=off")
    if conn.REPLICA_ASKS_NO_CERTIFICATE in context.faults:
        options.append("ssl_ca_file=")
    if custom.REPLICA_SERVES_INSTANCE_LEAF in context.faults and context.tls.custom:
        options += [f"ssl_cert_file={TLS}/instance/tls.crt", f"ssl_key_file={TLS}/instance/tls.key"]
    if tlsonly.REPLICA_PORT_CLOSED in context.faults and context.cluster.tls_only:
        options.append("listen_addresses=")
    return [word for option in options for word in ("-c", option)]


def _volumes(context: Context, instance: Instance) -> list[Json]:
    names = context.names
    certificates = [
        *server_source(context).projections(),
        *replication_source(context).projections("replication/"),
    ]
    if _shows_instance_leaf(context):
        keys = {"tls.crt": "dns.crt", "tls.key": "dns.key", "ca.crt": "patroni.ca-roots"}
        source = Source(secret=f"{instance.name}-certs", keys=keys)
        certificates += source.projections("instance/")
    return [
        {
            "name": "cert-volume",
            "projected": {"defaultMode": PRIVATE, "sources": certificates},
        },
        {
            "name": "database-config",
            "configMap": {
                "name": names.of("config"),
                "defaultMode": EXECUTABLE,
                "items": [
                    {"key": f"pg_hba.{instance.role}.conf", "path": "pg_hba.conf"},
                    *(
                        {"key": key, "path": key}
                        for key in ("conninfo", "postgresql.conf", "pg_ident.conf", *_SCRIPTS)
                    ),
                ],
            },
        },
        {"name": "roles", "secret": {"secretName": names.roles_secret, "defaultMode": PRIVATE}},
        {
            "name": "postgres-data",
            "persistentVolumeClaim": {"claimName": f"{instance.name}-pgdata"},
        },
    ]


def _shows_instance_leaf(context: Context) -> bool:
    return (conn.REPLICA_SHOWS_INSTANCE_LEAF in context.faults and not context.tls.custom) or (
        custom.REPLICA_SERVES_INSTANCE_LEAF in context.faults and context.tls.custom
    )

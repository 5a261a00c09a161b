"""Manifests of PgBouncer: a Deployment, and the ConfigMap that it starts from."""

from __future__ import annotations

from collections.abc import Mapping

from embedded.client import Json
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.contract.instances import waiting_probe
from reference.operator.contract.pooling import CONFIG
from reference.operator.names import POSTGRES_PORT, ROLE
from reference.operator.tls import CA, CERTIFICATE, KEY, Source
from reference.operator.workloads.template import EXECUTABLE, PRIVATE, revised

_GROUP = 1001
_SCRIPTS = ("pgbouncer.sh", "reload.sh", "pooling.sh")


def config_map(contract: Contract, context: Context) -> Json:
    """Return `<c>-pgbouncer`: the ini file and the scripts."""
    settings = _entries(contract.pgbouncer_settings(context))
    primary = {"*": f"host={context.names.of('primary')} port={POSTGRES_PORT}"}
    databases = _entries({**primary, **context.cluster.pgbouncer.databases})
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(context),
        "data": {
            "pgbouncer.ini": f"%include {CONFIG}/~postgres-operator.ini\n",
            "pgbouncer-operator.ini": f"[pgbouncer]\n{settings}\n[databases]\n{databases}",
            **{name: contract.script(name) for name in _SCRIPTS},
        },
    }


def deployment(contract: Contract, context: Context) -> Json:
    """Return the Deployment; without replicas while the cluster is paused."""
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
                        "volumes": [_volume(contract, context)],
                        "terminationGracePeriodSeconds": 5,
                        "enableServiceLinks": False,
                        "automountServiceAccountToken": False,
                        # Else it may not read its own configuration, which is for root alone.
                        "securityContext": {"fsGroup": _GROUP},
                    },
                }
            ),
        },
    }


def _entries(values: Mapping[str, str]) -> str:
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def _metadata(context: Context) -> Json:
    return {
        "name": context.names.of("pgbouncer"),
        "namespace": context.names.namespace,
        "labels": context.names.labels(**{ROLE: "pgbouncer"}),
        "ownerReferences": [context.cluster.owner()],
    }


def _container(context: Context) -> Json:
    pgbouncer = context.cluster.pgbouncer
    container: Json = {
        "name": "pgbouncer",
        "image": pgbouncer.image,
        "imagePullPolicy": context.cluster.pull_policy,
        "command": ["bash", f"{CONFIG}/pgbouncer.sh"],
        "ports": [{"name": "pgbouncer", "containerPort": POSTGRES_PORT, "protocol": "TCP"}],
        "startupProbe": waiting_probe(f"{CONFIG}/pooling.sh"),
        "readinessProbe": {"tcpSocket": {"port": POSTGRES_PORT}, "periodSeconds": 10},
        "volumeMounts": [{"name": "pgbouncer-config", "mountPath": CONFIG, "readOnly": True}],
    }
    if pgbouncer.resources:
        container["resources"] = pgbouncer.resources
    return container


def _volume(contract: Contract, context: Context) -> Json:
    below = "~postgres-operator/"
    items = [{"key": "pgbouncer-users.txt", "path": f"{below}users.txt"}]
    own = context.cluster.pgbouncer.custom_tls
    config_items = [
        {"key": "pgbouncer.ini", "path": "pgbouncer.ini"},
        {"key": "pgbouncer-operator.ini", "path": "~postgres-operator.ini"},
        *({"key": name, "path": name, "mode": EXECUTABLE} for name in _SCRIPTS),
    ]
    authority = contract.primary_authority(context)
    backend = {"key": authority.key(CA), "path": f"{below}backend-ca.crt"}
    sources: list[Json] = [
        {"configMap": {"name": context.names.of("pgbouncer"), "items": config_items}},
        {"secret": {"name": context.names.pgbouncer_secret, "items": items}},
        {"secret": {"name": authority.secret, "items": [backend]}},
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

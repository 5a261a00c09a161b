"""Manifests of an instance: a StatefulSet of one Pod, and the claim that holds its data."""

from __future__ import annotations

from embedded.client import Json
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Instance
from reference.operator.names import DATA, DATA_OF, INSTANCE, INSTANCE_SET, ROLE
from reference.operator.postgres.parameters import settings
from reference.operator.workloads.template import EXECUTABLE, PRIVATE, revised

_SCRIPTS = ("database.sh", "reload.sh", "ready.sh")


def config_map(contract: Contract, context: Context) -> Json:
    """Return `<c>-config`: settings, rules for either role, and the scripts."""
    conninfo = " ".join(f"{key}={value}" for key, value in contract.conninfo(context).items())
    data = {
        "conninfo": conninfo,
        "postgresql.conf": settings(context.cluster, conninfo),
        "pg_ident.conf": _lines(contract.identities()),
        "pg_hba.primary.conf": _lines(contract.rules(context, "primary")),
        "pg_hba.replica.conf": _lines(contract.rules(context, "replica")),
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": context.names.of("config"),
            "namespace": context.names.namespace,
            "labels": context.names.labels(),
            "ownerReferences": [context.cluster.owner()],
        },
        "data": data | {name: contract.script(name) for name in _SCRIPTS},
    }


def claim(context: Context, instance: Instance) -> Json:
    """Return the claim of an instance; it has no owner, so that data outlives the cluster."""
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


def stateful_set(contract: Contract, context: Context, instance: Instance) -> Json:
    """Return the StatefulSet of an instance; without replicas while the cluster is paused."""
    labels = _labels(context, instance, instance.role)
    selector = context.names.labels(**{INSTANCE: instance.name})
    template = {
        "metadata": {"labels": labels, "annotations": contract.restart_annotations(context)},
        "spec": {
            "containers": [contract.database_container(context, instance)],
            "volumes": _volumes(contract, context, instance),
            "terminationGracePeriodSeconds": 10,
            "enableServiceLinks": False,
            "automountServiceAccountToken": False,
            # The server refuses its directory where a restart gives that to the group again.
            "securityContext": {"fsGroup": 26, "fsGroupChangePolicy": "OnRootMismatch"},
        },
    }
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
            "template": revised(template),
        },
    }


def _lines(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _labels(context: Context, instance: Instance, role: str) -> Json:
    return context.names.labels(
        **{
            DATA: "postgres",
            INSTANCE: instance.name,
            INSTANCE_SET: instance.instance_set.name,
            ROLE: role,
        }
    )


def _volumes(contract: Contract, context: Context, instance: Instance) -> list[Json]:
    names = context.names
    certificates = [
        projection
        for directory, source in contract.mounted_certificates(context, instance).items()
        for projection in source.projections(directory)
    ]
    files = ("conninfo", "postgresql.conf", "pg_ident.conf", *_SCRIPTS)
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
                    *({"key": key, "path": key} for key in files),
                ],
            },
        },
        {"name": "roles", "secret": {"secretName": names.roles_secret, "defaultMode": PRIVATE}},
        {
            "name": "postgres-data",
            "persistentVolumeClaim": {"claimName": f"{instance.name}-pgdata"},
        },
    ]

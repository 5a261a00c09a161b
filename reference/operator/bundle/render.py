"""The bundle as objects and as YAML, to be applied on the server's side."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from embedded.client import Json
from reference.operator.bundle.schema import schema
from reference.operator.model import VERSION
from reference.operator.names import MANAGER
from reference.operator.resources import PGCLUSTERS

NAMESPACE = "postgres-operator"
IMAGE = f"reference-operator:{VERSION}"
COMMAND = ("python3", "-m", "reference.operator")

_NAME = MANAGER
_READY_FILE = "/tmp/watching"  # noqa: S108
_LABELS = {"pgv2.percona.com/control-plane": "postgres-operator"}
_RBAC = "rbac.authorization.k8s.io"
_ALL = ["get", "list", "watch", "create", "update", "patch", "delete"]


def objects(command: Sequence[str] = COMMAND) -> list[Json]:
    """Return all objects in the order in which they can be created; the operator runs `command`."""
    return [
        _definition(),
        _of("v1", "ServiceAccount", {}),
        _of(f"{_RBAC}/v1", "ClusterRole", {"rules": _rules()}),
        _of(f"{_RBAC}/v1", "ClusterRoleBinding", _binding("ClusterRole")),
        _of(f"{_RBAC}/v1", "Role", {"rules": _own_rules()}),
        _of(f"{_RBAC}/v1", "RoleBinding", _binding("Role")),
        _of("apps/v1", "Deployment", {"spec": _deployment(command)}),
    ]


def render(command: Sequence[str] = COMMAND) -> str:
    """Return the bundle as one YAML file; the operator runs `command`."""
    return yaml.dump_all(objects(command), Dumper=_Plain, sort_keys=False, width=100)


class _Plain(yaml.SafeDumper):
    """A dumper that repeats equal parts: anchors are hard to read, and to patch."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)


def _of(version: str, kind: str, rest: Json) -> Json:
    metadata = {"name": _NAME, "labels": dict(_LABELS)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata} | rest


def _definition() -> Json:
    version = {
        "name": PGCLUSTERS.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema()},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            _column("Endpoint", ".status.host"),
            _column("Status", ".status.state"),
            _column("Postgres", ".status.postgres.ready"),
            _column("PGBouncer", ".status.pgbouncer.ready"),
            _column("Age", ".metadata.creationTimestamp", kind="date"),
        ],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PGCLUSTERS.plural}.{PGCLUSTERS.group}", "labels": dict(_LABELS)},
        "spec": {
            "group": PGCLUSTERS.group,
            "scope": "Namespaced",
            "names": {
                "kind": PGCLUSTERS.kind,
                "listKind": f"{PGCLUSTERS.kind}List",
                "plural": PGCLUSTERS.plural,
                "singular": PGCLUSTERS.kind.lower(),
                "shortNames": ["pg"],
            },
            "versions": [version],
        },
    }


def _column(name: str, path: str, *, kind: str = "string") -> Json:
    return {"name": name, "type": kind, "jsonPath": path}


def _rules() -> list[Json]:
    return [
        _rule([PGCLUSTERS.group], [PGCLUSTERS.plural, f"{PGCLUSTERS.plural}/status"], _ALL),
        _rule([PGCLUSTERS.group], [f"{PGCLUSTERS.plural}/finalizers"], ["update"]),
        _rule(
            [""],
            ["secrets", "configmaps", "services", "endpoints", "persistentvolumeclaims"],
            _ALL,
        ),
        # Writing Endpoints by hand asks for this right on clusters that restrict it.
        _rule([""], ["endpoints/restricted"], ["create"]),
        # As the bundle of Percona has it, though this operator itself changes no Pod.
        _rule([""], ["pods"], ["get", "list", "watch", "patch", "delete"]),
        _rule([""], ["events"], ["create", "patch"]),
        _rule(["apps"], ["deployments", "statefulsets"], _ALL),
    ]


def _own_rules() -> list[Json]:
    return [_rule(["coordination.k8s.io"], ["leases"], ["get", "create", "update"])]


def _rule(groups: Sequence[str], resources: Sequence[str], verbs: Sequence[str]) -> Json:
    return {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}


def _binding(kind: str) -> Json:
    subject = {"kind": "ServiceAccount", "name": _NAME}
    if kind == "ClusterRole":
        subject["namespace"] = NAMESPACE
    return {
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": _NAME},
        "subjects": [subject],
    }


def _deployment(command: Sequence[str]) -> Json:
    container: Json = {
        "name": "operator",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "env": [
            {"name": "WATCH_NAMESPACE", "value": ""},
            {"name": "READY_FILE", "value": _READY_FILE},
        ],
        "startupProbe": {
            "exec": {
                "command": ["bash", "-c", f"until [[ -e {_READY_FILE} ]]; do sleep 0.05; done"]
            },
            "timeoutSeconds": 60,
            "periodSeconds": 1,
            "failureThreshold": 10,
        },
    }
    return {
        "replicas": 1,
        # Two operators at a time would both make certificates.
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": dict(_LABELS)},
        "template": {
            "metadata": {"labels": dict(_LABELS)},
            "spec": {
                "serviceAccountName": _NAME,
                "terminationGracePeriodSeconds": 5,
                "containers": [container],
            },
        },
    }

"""All built-in resources. Roles and bindings are stored and served, never enforced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from embedded.api.builtin import columns, core, crds, endpoints, events, pods, services, workloads
from embedded.api.builtin.rules import BuiltinRules
from embedded.api.resources import Resource, Scale
from embedded.api.types.builtin import top_level

RBAC = "rbac.authorization.k8s.io"
_EVENT_FIELDS = tuple(
    f"involvedObject.{name}"
    for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
)


def _builtin(
    group: str, version: str, plural: str, message: str, names: str = "", **more: Any
) -> Resource:
    """One resource; what begins with `on_`, `check` or `defaults` is a rule of its kind."""
    shape = top_level(message)
    kind = message.split(".")[1]
    rules = {
        name: more.pop(name)
        for name in ("defaults", "on_create", "on_update", "check")
        if name in more
    }
    more.setdefault("columns", columns.of(kind))
    return Resource(
        group=group,
        version=version,
        plural=plural,
        kind=kind,
        singular=kind.lower(),
        list_kind=f"{kind}List",
        short_names=tuple(names.split()),
        shape=shape,
        rules=BuiltinRules(shape=shape, **rules),
        **more,
    )


def resources() -> Iterator[Resource]:
    """Every built-in resource."""
    yield from _core()
    yield from _workloads()
    yield from _access()
    yield _builtin(
        *("coordination.k8s.io", "v1", "leases", "coordination.Lease"), unconditional=False
    )
    yield _builtin(
        *("policy", "v1", "poddisruptionbudgets", "policy.PodDisruptionBudget", "pdb"),
        status=True, generation=True, unconditional=False, on_create=workloads.drop_status,
    )  # fmt: skip
    yield _builtin(
        *("storage.k8s.io", "v1", "storageclasses", "storage.StorageClass", "sc"),
        namespaced=False, defaults=core.default_storage_class,
    )  # fmt: skip
    yield crds.resource()


def _core() -> Iterator[Resource]:
    yield _builtin(
        *("", "v1", "namespaces", "core.Namespace", "ns"),
        namespaced=False, status=True, fields=("status.phase",), defaults=core.default_namespace,
        on_create=core.complete_namespace, on_update=core.keep_namespace,
        subresources={"finalize": "Namespace"},
    )  # fmt: skip
    yield _builtin(
        *("", "v1", "pods", "core.Pod", "po"),
        status=True, generation=True, categories=("all",), returns_deleted=True,
        fields=(
            *("status.phase", "spec.nodeName", "spec.restartPolicy", "spec.schedulerName"),
            *("spec.serviceAccountName", "status.podIP", "spec.hostNetwork"),
        ),
        defaults=pods.default_pod, on_create=pods.complete, check=pods.check_pod,
        subresources={
            "attach": "PodAttachOptions", "binding": "Binding", "eviction": "Eviction",
            "exec": "PodExecOptions", "log": "Pod", "portforward": "PodPortForwardOptions",
        },
    )  # fmt: skip
    yield _builtin(
        *("", "v1", "secrets", "core.Secret"),
        fields=("type",), defaults=core.default_secret, check=core.check_secret,
    )  # fmt: skip
    yield _builtin("", "v1", "configmaps", "core.ConfigMap", "cm", check=core.check_config_map)
    yield _builtin(
        *("", "v1", "services", "core.Service", "svc"),
        status=True, categories=("all",), returns_deleted=True,
        fields=("spec.clusterIP", "spec.type"), defaults=services.default_service,
        on_create=services.complete_service, on_update=services.keep_service,
        check=services.check_service,
    )  # fmt: skip
    yield _builtin(
        *("", "v1", "endpoints", "core.Endpoints", "ep"),
        defaults=endpoints.default_endpoints, check=endpoints.check_endpoints,
    )  # fmt: skip
    yield _builtin(
        *("", "v1", "serviceaccounts", "core.ServiceAccount", "sa"),
        returns_deleted=True, subresources={"token": "TokenRequest"},
    )  # fmt: skip
    yield from _volumes_and_nodes()
    yield from _events()


def _volumes_and_nodes() -> Iterator[Resource]:
    yield _builtin(
        *("", "v1", "persistentvolumeclaims", "core.PersistentVolumeClaim", "pvc"),
        status=True, returns_deleted=True, defaults=core.default_claim,
        on_create=core.complete_claim, check=core.check_claim,
    )  # fmt: skip
    yield _builtin(
        *("", "v1", "persistentvolumes", "core.PersistentVolume", "pv"),
        namespaced=False, status=True, returns_deleted=True, defaults=core.default_volume,
        on_create=core.complete_volume,
    )  # fmt: skip
    yield _builtin(
        *("", "v1", "nodes", "core.Node", "no"),
        namespaced=False, status=True, fields=("spec.unschedulable",),
    )  # fmt: skip


def _events() -> Iterator[Resource]:
    yield _builtin(
        *("", "v1", "events", "core.Event", "ev"),
        fields=(*_EVENT_FIELDS, "reason", "reportingComponent", "source", "type"),
    )  # fmt: skip
    yield _builtin(
        *("events.k8s.io", "v1", "events", "events.Event", "ev"),
        fields=("reason", "type"), stored_as=("", "events"),
        to_storage=events.to_core, from_storage=events.from_core,
    )  # fmt: skip


def _workloads() -> Iterator[Resource]:
    common: dict[str, Any] = {"status": True, "generation": True, "categories": ("all",)}
    yield _builtin(
        *("apps", "v1", "deployments", "apps.Deployment", "deploy"),
        scale=Scale(), defaults=workloads.default_deployment, on_create=workloads.drop_status,
        check=workloads.check_workload, **common,
    )  # fmt: skip
    yield _builtin(
        *("apps", "v1", "replicasets", "apps.ReplicaSet", "rs"),
        scale=Scale(), fields=("status.replicas",), defaults=workloads.default_replica_set,
        on_create=workloads.drop_replica_status, check=workloads.check_workload, **common,
    )  # fmt: skip
    yield _builtin(
        *("apps", "v1", "statefulsets", "apps.StatefulSet", "sts"),
        scale=Scale(), defaults=workloads.default_stateful_set,
        on_create=workloads.drop_replica_status, check=workloads.check_stateful_set, **common,
    )  # fmt: skip
    yield _builtin("apps", "v1", "controllerrevisions", "apps.ControllerRevision")
    yield _builtin(
        *("batch", "v1", "jobs", "batch.Job"),
        fields=("status.successful",), defaults=workloads.default_job,
        on_create=workloads.complete_job, on_update=workloads.keep_job, check=workloads.check_job,
        **common,
    )  # fmt: skip
    yield _builtin(
        *("batch", "v1", "cronjobs", "batch.CronJob", "cj"),
        defaults=workloads.default_cron_job, on_create=workloads.drop_status, **common,
    )  # fmt: skip


def _access() -> Iterator[Resource]:
    for plural, kind, namespaced in (
        *(("roles", "Role", True), ("clusterroles", "ClusterRole", False)),
    ):
        yield _builtin(RBAC, "v1", plural, f"rbac.{kind}", namespaced=namespaced)
    for plural, kind, namespaced in (
        *(
            ("rolebindings", "RoleBinding", True),
            ("clusterrolebindings", "ClusterRoleBinding", False),
        ),
    ):
        yield _builtin(
            *(RBAC, "v1", plural, f"rbac.{kind}"),
            namespaced=namespaced, defaults=core.default_binding, check=core.check_binding,
        )  # fmt: skip

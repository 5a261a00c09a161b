"""All built-in resources. Roles and bindings are stored and served, never enforced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from embedded.api.builtin import (
    core,
    crds,
    endpoints,
    events,
    networking,
    pods,
    scheduling,
    services,
    workloads,
)
from embedded.api.builtin.making import builtin as _builtin
from embedded.api.resources import Resource, Scale

RBAC = "rbac.authorization.k8s.io"
_ENDPOINTS_DEPRECATED = (
    "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
)
_EVENT_FIELDS = tuple(
    f"involvedObject.{name}"
    for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
)


def resources() -> Iterator[Resource]:
    """Every built-in resource."""
    yield from _core()
    yield from _workloads()
    yield from _early_workloads()
    yield from _access()
    yield from networking.resources()
    yield from scheduling.resources()
    yield _builtin(
        message="coordination.Lease",
        plural="leases",
        group="coordination.k8s.io",
        unconditional=False,
    )
    yield _builtin(
        message="policy.PodDisruptionBudget",
        plural="poddisruptionbudgets",
        group="policy",
        short_names=("pdb",),
        status=True,
        generation=True,
        unconditional=False,
        on_create=workloads.drop_status,
    )
    yield _builtin(
        message="storage.StorageClass",
        plural="storageclasses",
        group="storage.k8s.io",
        short_names=("sc",),
        namespaced=False,
        defaults=core.default_storage_class,
    )
    yield crds.resource()


def _core() -> Iterator[Resource]:
    yield _builtin(
        message="core.Namespace",
        plural="namespaces",
        short_names=("ns",),
        namespaced=False,
        status=True,
        fields=("status.phase",),
        one_by_one=True,
        defaults=core.default_namespace,
        on_create=core.complete_namespace,
        on_update=core.keep_namespace,
        subresources={"finalize": "Namespace"},
    )
    yield _builtin(
        message="core.Pod",
        plural="pods",
        short_names=("po",),
        status=True,
        generation=True,
        categories=("all",),
        returns_deleted=True,
        fields=(
            "status.phase",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.podIP",
            "spec.hostNetwork",
        ),
        defaults=pods.default_pod,
        on_admission=pods.admit,
        on_create=pods.complete,
        on_update=pods.keep,
        check=pods.check_pod,
        subresources={
            "attach": "PodAttachOptions",
            "binding": "Binding",
            "ephemeralcontainers": "Pod",
            "eviction": "Eviction",
            "exec": "PodExecOptions",
            "log": "Pod",
            "portforward": "PodPortForwardOptions",
        },
        parts={"ephemeralcontainers": "ephemeralContainers"},
    )
    yield _builtin(
        message="core.Secret",
        plural="secrets",
        fields=("type",),
        defaults=core.default_secret,
        check=core.check_secret,
    )
    yield _builtin(
        message="core.ConfigMap",
        plural="configmaps",
        short_names=("cm",),
        check=core.check_config_map,
    )
    yield _builtin(
        message="core.Service",
        plural="services",
        short_names=("svc",),
        status=True,
        categories=("all",),
        returns_deleted=True,
        fields=("spec.clusterIP", "spec.type"),
        defaults=services.default_service,
        on_create=services.complete_service,
        on_update=services.keep_service,
        check=services.check_service,
    )
    yield _builtin(
        message="core.Endpoints",
        plural="endpoints",
        short_names=("ep",),
        deprecation=_ENDPOINTS_DEPRECATED,
        defaults=endpoints.default_endpoints,
        check=endpoints.check_endpoints,
    )
    yield _builtin(
        message="core.ServiceAccount",
        plural="serviceaccounts",
        short_names=("sa",),
        returns_deleted=True,
        subresources={"token": "TokenRequest"},
    )
    yield from _volumes_and_nodes()
    yield from _events()


def _volumes_and_nodes() -> Iterator[Resource]:
    yield _builtin(
        message="core.PersistentVolumeClaim",
        plural="persistentvolumeclaims",
        short_names=("pvc",),
        status=True,
        returns_deleted=True,
        defaults=core.default_claim,
        on_create=core.complete_claim,
        check=core.check_claim,
    )
    yield _builtin(
        message="core.PersistentVolume",
        plural="persistentvolumes",
        short_names=("pv",),
        namespaced=False,
        status=True,
        returns_deleted=True,
        defaults=core.default_volume,
        on_create=core.complete_volume,
    )
    yield _builtin(
        message="core.Node",
        plural="nodes",
        short_names=("no",),
        namespaced=False,
        status=True,
        fields=("spec.unschedulable",),
    )


def _events() -> Iterator[Resource]:
    yield _builtin(
        message="core.Event",
        plural="events",
        short_names=("ev",),
        fields=(*_EVENT_FIELDS, "reason", "reportingComponent", "source", "type"),
    )
    yield _builtin(
        message="events.Event",
        plural="events",
        group="events.k8s.io",
        short_names=("ev",),
        fields=("reason", "type"),
        stored_as=("", "events"),
        to_storage=events.to_core,
        from_storage=events.from_core,
    )


def _workloads() -> Iterator[Resource]:
    common: dict[str, Any] = {"status": True, "generation": True, "categories": ("all",)}
    yield _builtin(
        message="apps.Deployment",
        plural="deployments",
        group="apps",
        short_names=("deploy",),
        scale=Scale(),
        defaults=workloads.default_deployment,
        on_create=workloads.drop_status,
        check=workloads.check_workload,
        **common,
    )
    yield _builtin(
        message="apps.ReplicaSet",
        plural="replicasets",
        group="apps",
        short_names=("rs",),
        scale=Scale(),
        fields=("status.replicas",),
        defaults=workloads.default_replica_set,
        on_create=workloads.drop_replica_status,
        check=workloads.check_workload,
        **common,
    )
    yield _builtin(
        message="apps.StatefulSet",
        plural="statefulsets",
        group="apps",
        short_names=("sts",),
        scale=Scale(),
        defaults=workloads.default_stateful_set,
        on_create=workloads.drop_replica_status,
        check=workloads.check_stateful_set,
        **common,
    )
    yield _builtin(
        message="apps.DaemonSet",
        plural="daemonsets",
        group="apps",
        short_names=("ds",),
        defaults=workloads.default_daemon_set,
        on_create=workloads.complete_daemon_set,
        check=workloads.check_workload,
        **common,
    )
    yield _builtin(message="apps.ControllerRevision", plural="controllerrevisions", group="apps")
    yield _builtin(
        message="batch.Job",
        plural="jobs",
        group="batch",
        fields=("status.successful",),
        defaults=workloads.default_job,
        on_create=workloads.complete_job,
        on_update=workloads.keep_job,
        check=workloads.check_job,
        **common,
    )
    yield _builtin(
        message="batch.CronJob",
        plural="cronjobs",
        group="batch",
        short_names=("cj",),
        defaults=workloads.default_cron_job,
        on_create=workloads.drop_status,
        **common,
    )


def _early_workloads() -> Iterator[Resource]:
    yield _builtin(
        message="core.ReplicationController",
        plural="replicationcontrollers",
        short_names=("rc",),
        scale=Scale(),
        defaults=workloads.default_replication_controller,
        on_create=workloads.drop_replica_status,
        check=workloads.check_replication_controller,
        status=True,
        generation=True,
        categories=("all",),
    )


def _access() -> Iterator[Resource]:
    for plural, kind, namespaced in (
        ("roles", "Role", True),
        ("clusterroles", "ClusterRole", False),
    ):
        yield _builtin(
            group=RBAC,
            message=f"rbac.{kind}",
            plural=plural,
            namespaced=namespaced,
            check=core.check_role,
        )
    for plural, kind, namespaced in (
        ("rolebindings", "RoleBinding", True),
        ("clusterrolebindings", "ClusterRoleBinding", False),
    ):
        yield _builtin(
            group=RBAC,
            message=f"rbac.{kind}",
            plural=plural,
            namespaced=namespaced,
            defaults=core.default_binding,
            check=core.check_binding,
        )

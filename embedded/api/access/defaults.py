"""The roles and bindings that every cluster has from the start.

As the documentation of Kubernetes lists them ("Using RBAC Authorization", default roles), without
those of controllers and addons that do not run here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from embedded.api.access.authorizer import GROUP, MASTERS
from embedded.api.access.rules import Rule
from embedded.api.jsons import Json

_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_BOTH = tuple(sorted((*_READ, *_WRITE)))
_LABEL = "rbac.authorization.k8s.io/aggregate-to-"
_META: Json = {
    "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
    "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
}
_HEALTH = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_WORKLOADS = (
    *("daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets"),
    *("replicasets/scale", "statefulsets", "statefulsets/scale"),
)
_STREAMS = ("pods/attach", "pods/exec", "pods/portforward", "pods/proxy")


def _rule(verbs: tuple[str, ...], group: str, *resources: str) -> Rule:
    return Rule(verbs=verbs, groups=(group,), resources=resources)


def _paths(*urls: str) -> Rule:
    return Rule(verbs=("get",), urls=urls)


def _create(group: str, *resources: str) -> Rule:
    return _rule(("create",), group, *resources)


_VIEW = (
    _rule(
        _READ,
        "",
        *("configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status"),
        *("pods", "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts"),
        *("services", "services/status"),
    ),
    _rule(
        _READ,
        "",
        *("bindings", "events", "limitranges", "namespaces/status", "pods/log", "pods/status"),
        *("replicationcontrollers/status", "resourcequotas", "resourcequotas/status"),
    ),
    _rule(_READ, "", "namespaces"),
    _rule(_READ, "discovery.k8s.io", "endpointslices"),
    _rule(
        _READ,
        "apps",
        *("controllerrevisions", "daemonsets", "daemonsets/status", "deployments"),
        *("deployments/scale", "deployments/status", "replicasets", "replicasets/scale"),
        *("replicasets/status", "statefulsets", "statefulsets/scale", "statefulsets/status"),
    ),
    _rule(_READ, "autoscaling", "horizontalpodautoscalers", "horizontalpodautoscalers/status"),
    _rule(_READ, "batch", "cronjobs", "cronjobs/status", "jobs", "jobs/status"),
    _rule(_READ, "policy", "poddisruptionbudgets", "poddisruptionbudgets/status"),
    _rule(_READ, "networking.k8s.io", "ingresses", "ingresses/status", "networkpolicies"),
)
_EDIT = (
    _rule(_READ, "", *_STREAMS, "secrets", "services/proxy"),
    _rule(("impersonate",), "", "serviceaccounts"),
    _rule(_WRITE, "", "pods", *_STREAMS),
    _create("", "pods/eviction"),
    _rule(
        _WRITE,
        "",
        *("configmaps", "events", "persistentvolumeclaims", "replicationcontrollers"),
        *("replicationcontrollers/scale", "secrets", "serviceaccounts", "services"),
        "services/proxy",
    ),
    _create("", "serviceaccounts/token"),
    _rule(_WRITE, "apps", *_WORKLOADS),
    _rule(_WRITE, "autoscaling", "horizontalpodautoscalers"),
    _rule(_WRITE, "batch", "cronjobs", "jobs"),
    _rule(_WRITE, "policy", "poddisruptionbudgets"),
    _rule(_WRITE, "networking.k8s.io", "ingresses", "networkpolicies"),
    _rule(_BOTH, "coordination.k8s.io", "leases"),
)
_ADMIN = (
    _create("authorization.k8s.io", "localsubjectaccessreviews"),
    _rule(_BOTH, GROUP, "rolebindings", "roles"),
)
_NODE = (
    _create("authentication.k8s.io", "tokenreviews"),
    _create("authorization.k8s.io", "localsubjectaccessreviews", "subjectaccessreviews"),
    _rule(_READ, "", "services"),
    _rule(("create", *_READ), "", "nodes"),
    _rule(("patch", "update"), "", "nodes", "nodes/status"),
    _rule(("create", "patch", "update"), "", "events"),
    _rule(("create", "delete", *_READ), "", "pods"),
    _rule(("patch", "update"), "", "pods/status"),
    _create("", "pods/eviction", "serviceaccounts/token"),
    _rule(_READ, "", "configmaps", "secrets"),
    # A kubelet gets these one by one; the program of the node watches them.
    _rule(_READ, "", "endpoints", "persistentvolumeclaims", "persistentvolumes"),
    _rule(("get", "patch", "update"), "", "persistentvolumeclaims/status"),
    _rule(("create", "delete", "get", "patch", "update"), "coordination.k8s.io", "leases"),
)
_PROXIER = (
    _rule(("list", "watch"), "", "endpoints", "services"),
    _rule(_READ, "", "nodes"),
    _rule(("create", "patch", "update"), "", "events"),
    _rule(("create", "patch", "update"), "events.k8s.io", "events"),
    _rule(("list", "watch"), "discovery.k8s.io", "endpointslices"),
)
_ROLES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "cluster-admin": (_rule(("*",), "*", "*"), Rule(verbs=("*",), urls=("*",))),
        "system:aggregate-to-admin": _ADMIN,
        "system:aggregate-to-edit": _EDIT,
        "system:aggregate-to-view": _VIEW,
        "system:auth-delegator": (
            _create("authentication.k8s.io", "tokenreviews"),
            _create("authorization.k8s.io", "subjectaccessreviews"),
        ),
        "system:basic-user": (
            _create("authorization.k8s.io", "selfsubjectaccessreviews", "selfsubjectrulesreviews"),
            _create("authentication.k8s.io", "selfsubjectreviews"),
        ),
        "system:discovery": (
            _paths(*_HEALTH, "/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"),
        ),
        "system:monitoring": (
            _paths("/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/metrics/slis"),
            _paths("/readyz", "/readyz/*"),
        ),
        "system:node": _NODE,
        "system:node-proxier": _PROXIER,
        "system:public-info-viewer": (_paths(*_HEALTH),),
        "system:service-account-issuer-discovery": (
            _paths("/.well-known/openid-configuration", "/.well-known/openid-configuration/"),
            _paths("/openid/v1/jwks", "/openid/v1/jwks/"),
        ),
    }
)
_AGGREGATED = MappingProxyType({"admin": "", "edit": "admin", "view": "edit"})
"""Each with the one that takes it in."""
_AUTHENTICATED = "system:authenticated"
_BINDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cluster-admin": (MASTERS,),
        "system:basic-user": (_AUTHENTICATED,),
        "system:discovery": (_AUTHENTICATED,),
        "system:monitoring": ("system:monitoring",),
        "system:public-info-viewer": (_AUTHENTICATED, "system:unauthenticated"),
        "system:service-account-issuer-discovery": ("system:serviceaccounts",),
    }
)


def cluster_roles() -> Iterator[Json]:
    """The ClusterRoles."""
    for name, rules in _ROLES.items():
        target = name.removeprefix("system:aggregate-to-")
        labels = {f"{_LABEL}{target}": "true"} if target in _AGGREGATED else {}
        yield {"metadata": _meta(name, labels), "rules": [rule.as_json() for rule in rules]}
    for name, into in _AGGREGATED.items():
        labels = {f"{_LABEL}{into}": "true"} if into else {}
        selector = {"matchLabels": {f"{_LABEL}{name}": "true"}}
        aggregation = {"clusterRoleSelectors": [selector]}
        yield {"metadata": _meta(name, labels), "aggregationRule": aggregation, "rules": []}


def cluster_role_bindings() -> Iterator[Json]:
    """The ClusterRoleBindings."""
    for name, groups in _BINDINGS.items():
        yield {
            "metadata": _meta(name, {}),
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": one} for one in groups],
        }


def _meta(name: str, labels: Mapping[str, str]) -> Json:
    return {
        "name": name,
        "labels": {**_META["labels"], **labels},
        "annotations": dict(_META["annotations"]),
    }

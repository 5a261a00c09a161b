"""The columns of the built-in kinds (Kubernetes, pkg/printers/internalversion)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from embedded.api.builtin.podcells import ready, restarts, status
from embedded.api.columns import Column, age, duration
from embedded.api.jsons import Json, at

NONE = "<none>"


def of(kind: str) -> tuple[Column, ...]:
    """The columns of a kind; none: name and age only."""
    return _COLUMNS.get(kind, ())


def _text(*path: str, missing: str = "") -> Callable[[Json], Any]:
    return lambda obj: at(obj, *path) or missing


def _column(head: str, *path: str, missing: str = NONE, wide: bool = False) -> Column:
    return Column(head, _text(*path, missing=missing), wide=wide)


def _number(head: str, *path: str) -> Column:
    return Column(head, lambda obj: at(obj, *path) or 0, "integer")


def _count(head: str, *names: str) -> Column:
    return Column(head, lambda obj: sum(len(obj.get(name) or {}) for name in names), "integer")


def _joined(values: list[Any] | None) -> str:
    return ",".join(str(value) for value in values or []) or NONE


_NAME = Column("Name", lambda obj: obj["metadata"]["name"], format="name")
_AGE = Column("Age", lambda obj: age(at(obj, "metadata", "creationTimestamp")))


def _fraction(done: tuple[str, ...], wanted: tuple[str, ...]) -> Callable[[Json], str]:
    return lambda obj: f"{at(obj, *done) or 0}/{at(obj, *wanted) or 0}"


def _images(obj: Json, member: str) -> str:
    containers = at(obj, "spec", "template", "spec", "containers") or []
    return _joined([container.get(member) for container in containers])


def _selector(obj: Json) -> str:
    found = at(obj, "spec", "selector") or {}
    labels = found.get("matchLabels", found) or {}
    return _joined([f"{name}={value}" for name, value in sorted(labels.items())])


_WORKLOAD = (
    Column("Containers", lambda obj: _images(obj, "name"), wide=True),
    Column("Images", lambda obj: _images(obj, "image"), wide=True),
    Column("Selector", _selector, wide=True),
)


def _ports(obj: Json) -> str:
    texts = []
    for port in at(obj, "spec", "ports") or []:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port['port']}{node}/{port['protocol']}")
    return _joined(texts)


def _external(obj: Json) -> str:
    spec = obj["spec"]
    if spec["type"] == "ExternalName":
        return str(spec.get("externalName"))
    if spec["type"] == "LoadBalancer" and not spec.get("externalIPs"):
        given = at(obj, "status", "loadBalancer", "ingress") or []
        return _joined([item.get("ip") or item.get("hostname") for item in given]).replace(
            NONE, "<pending>"
        )
    return _joined(spec.get("externalIPs"))


def _endpoints(obj: Json) -> str:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or []
        for port in subset.get("ports") or []
        for address in subset.get("addresses") or []
    ]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return _joined(found[:3]) + more


def _last_seen(obj: Json) -> str:
    return age(obj.get("lastTimestamp") or obj.get("eventTime") or obj.get("firstTimestamp"))


def _event_object(obj: Json) -> str:
    about = obj.get("involvedObject") or {}
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _job_status(obj: Json) -> str:
    for condition in at(obj, "status", "conditions") or []:
        if condition.get("status") == "True" and condition["type"] in {"Complete", "Failed"}:
            return str(condition["type"])
    return "Suspended" if at(obj, "spec", "suspend") else "Running"


def _job_duration(obj: Json) -> str:
    began, ended = at(obj, "status", "startTime"), at(obj, "status", "completionTime")
    if not began:
        return ""
    if not ended:
        return age(began)
    return duration(_seconds(ended) - _seconds(began))


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


def _node_status(obj: Json) -> str:
    conditions = at(obj, "status", "conditions") or []
    is_ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    words = ["Ready" if is_ready else "NotReady"]
    if at(obj, "spec", "unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(obj: Json) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = at(obj, "metadata", "labels") or {}
    return _joined(sorted(name.removeprefix(prefix) for name in labels if name.startswith(prefix)))


def _node_address(obj: Json) -> str:
    for address in at(obj, "status", "addresses") or []:
        if address["type"] == "InternalIP":
            return str(address["address"])
    return NONE


def _modes(obj: Json) -> str:
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX"}
    return ",".join(short.get(mode, mode) for mode in at(obj, "spec", "accessModes") or [])


def _phase(obj: Json) -> str:
    ending = at(obj, "metadata", "deletionTimestamp")
    return "Terminating" if ending else str(at(obj, "status", "phase") or "")


def _claim(obj: Json) -> str:
    found = at(obj, "spec", "claimRef")
    return f"{found['namespace']}/{found['name']}" if found else ""


def _slice_addresses(obj: Json) -> str:
    found = [item for endpoint in obj.get("endpoints") or [] for item in endpoint["addresses"]]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return _joined(found[:3]) + more


def _hosts(obj: Json) -> str:
    return _joined([rule.get("host") or "*" for rule in at(obj, "spec", "rules") or []])


def _scaled(obj: Json) -> str:
    target = obj["spec"]["scaleTargetRef"]
    return f"{target['kind']}/{target['name']}"


def _owner(obj: Json) -> str:
    for owner in at(obj, "metadata", "ownerReferences") or []:
        if owner.get("controller"):
            return f"{owner['kind'].lower()}/{owner['name']}"
    return NONE


def _role(obj: Json) -> str:
    return f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"


_COLUMNS: Mapping[str, tuple[Column, ...]] = MappingProxyType(
    {
        "Namespace": (_NAME, _column("Status", "status", "phase"), _AGE),
        "Pod": (
            _NAME,
            Column("Ready", ready),
            Column("Status", status),
            Column("Restarts", restarts),
            _AGE,
            _column("IP", "status", "podIP", wide=True),
            _column("Node", "spec", "nodeName", wide=True),
            _column("Nominated Node", "status", "nominatedNodeName", wide=True),
            Column("Readiness Gates", lambda _: NONE, wide=True),
        ),
        "Secret": (_NAME, _column("Type", "type"), _count("Data", "data"), _AGE),
        "ConfigMap": (_NAME, _count("Data", "data", "binaryData"), _AGE),
        "Service": (
            _NAME,
            _column("Type", "spec", "type"),
            _column("Cluster-IP", "spec", "clusterIP"),
            Column("External-IP", _external),
            Column("Port(s)", _ports),
            _AGE,
            Column("Selector", _selector, wide=True),
        ),
        "Endpoints": (_NAME, Column("Endpoints", _endpoints), _AGE),
        "Event": (
            Column("Last Seen", _last_seen),
            _column("Type", "type", missing=""),
            _column("Reason", "reason", missing=""),
            Column("Object", _event_object),
            _column("Subobject", "involvedObject", "fieldPath", missing="", wide=True),
            _column("Source", "source", "component", missing="", wide=True),
            _column("Message", "message", missing=""),
            Column("Count", lambda obj: obj.get("count") or 1, "integer", wide=True),
            Column("Name", lambda obj: obj["metadata"]["name"], wide=True, format="name"),
        ),
        "ServiceAccount": (_NAME, _count("Secrets", "secrets"), _AGE),
        "PersistentVolumeClaim": (
            _NAME,
            Column("Status", _phase),
            _column("Volume", "spec", "volumeName", missing=""),
            _column("Capacity", "status", "capacity", "storage", missing=""),
            Column("Access Modes", _modes),
            _column("StorageClass", "spec", "storageClassName", missing=""),
            _AGE,
        ),
        "PersistentVolume": (
            _NAME,
            _column("Capacity", "spec", "capacity", "storage", missing=""),
            Column("Access Modes", _modes),
            _column("Reclaim Policy", "spec", "persistentVolumeReclaimPolicy", missing=""),
            Column("Status", _phase),
            Column("Claim", _claim),
            _column("StorageClass", "spec", "storageClassName", missing=""),
            _AGE,
        ),
        "Node": (
            _NAME,
            Column("Status", _node_status),
            Column("Roles", _roles),
            _AGE,
            _column("Version", "status", "nodeInfo", "kubeletVersion", missing=""),
            Column("Internal-IP", _node_address, wide=True),
            _column("OS-Image", "status", "nodeInfo", "osImage", wide=True),
        ),
        "Deployment": (
            _NAME,
            Column("Ready", _fraction(("status", "readyReplicas"), ("spec", "replicas"))),
            _number("Up-to-date", "status", "updatedReplicas"),
            _number("Available", "status", "availableReplicas"),
            _AGE,
            *_WORKLOAD,
        ),
        "ReplicaSet": (
            _NAME,
            _number("Desired", "spec", "replicas"),
            _number("Current", "status", "replicas"),
            _number("Ready", "status", "readyReplicas"),
            _AGE,
            *_WORKLOAD,
        ),
        "ReplicationController": (
            _NAME,
            _number("Desired", "spec", "replicas"),
            _number("Current", "status", "replicas"),
            _number("Ready", "status", "readyReplicas"),
            _AGE,
        ),
        "StatefulSet": (
            _NAME,
            Column("Ready", _fraction(("status", "readyReplicas"), ("spec", "replicas"))),
            _AGE,
            *_WORKLOAD[:2],
        ),
        "Job": (
            _NAME,
            Column("Status", _job_status),
            Column("Completions", _fraction(("status", "succeeded"), ("spec", "completions"))),
            Column("Duration", _job_duration),
            _AGE,
            *_WORKLOAD,
        ),
        "CronJob": (
            _NAME,
            _column("Schedule", "spec", "schedule"),
            _column("Timezone", "spec", "timeZone"),
            Column("Suspend", lambda obj: str(at(obj, "spec", "suspend"))),
            Column("Active", lambda obj: len(at(obj, "status", "active") or []), "integer"),
            Column("Last Schedule", lambda obj: age(at(obj, "status", "lastScheduleTime"))),
            _AGE,
        ),
        "RoleBinding": (_NAME, Column("Role", _role), _AGE),
        "ClusterRoleBinding": (_NAME, Column("Role", _role), _AGE),
        "Lease": (_NAME, _column("Holder", "spec", "holderIdentity", missing=""), _AGE),
        "StorageClass": (
            _NAME,
            _column("Provisioner", "provisioner"),
            _column("ReclaimPolicy", "reclaimPolicy"),
            _column("VolumeBindingMode", "volumeBindingMode"),
            _AGE,
        ),
        "PodDisruptionBudget": (
            _NAME,
            Column("Min Available", lambda obj: str(at(obj, "spec", "minAvailable") or "N/A")),
            Column("Max Unavailable", lambda obj: str(at(obj, "spec", "maxUnavailable") or "N/A")),
            _number("Allowed Disruptions", "status", "disruptionsAllowed"),
            _AGE,
        ),
        "DaemonSet": (
            _NAME,
            _number("Desired", "status", "desiredNumberScheduled"),
            _number("Current", "status", "currentNumberScheduled"),
            _number("Ready", "status", "numberReady"),
            _number("Up-to-date", "status", "updatedNumberScheduled"),
            _number("Available", "status", "numberAvailable"),
            _AGE,
            *_WORKLOAD,
        ),
        "EndpointSlice": (
            _NAME,
            _column("AddressType", "addressType"),
            Column("Ports", lambda obj: _joined([p.get("port") for p in obj.get("ports") or []])),
            Column("Endpoints", _slice_addresses),
            _AGE,
        ),
        "Ingress": (
            _NAME,
            _column("Class", "spec", "ingressClassName"),
            Column("Hosts", _hosts),
            Column("Ports", lambda obj: "80, 443" if at(obj, "spec", "tls") else "80"),
            _AGE,
        ),
        "IngressClass": (_NAME, _column("Controller", "spec", "controller"), _AGE),
        "PriorityClass": (
            _NAME,
            Column("Value", lambda obj: obj.get("value", 0), "integer"),
            Column("Global-Default", lambda obj: bool(obj.get("globalDefault")), "boolean"),
            _AGE,
            _column("PreemptionPolicy", "preemptionPolicy"),
        ),
        "HorizontalPodAutoscaler": (
            _NAME,
            Column("Reference", _scaled),
            _number("MinPods", "spec", "minReplicas"),
            _number("MaxPods", "spec", "maxReplicas"),
            _number("Replicas", "status", "currentReplicas"),
            _AGE,
        ),
        "ControllerRevision": (
            _NAME,
            Column("Controller", _owner),
            Column("Revision", lambda obj: obj.get("revision", 0), "integer"),
            _AGE,
        ),
    }
)

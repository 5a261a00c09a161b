"""Pods and Pod templates: defaults, the first status, what may change, what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from embedded.api.builtin import service_accounts
from embedded.api.builtin.rules import immutable, required, unsupported, wrong
from embedded.api.builtin.scheduling import give_priority
from embedded.api.builtin.volumes import check_mount, check_volumes
from embedded.api.errors import Cause
from embedded.api.jsons import Json, at
from embedded.api.metadata import LABEL_RULE, is_label
from embedded.api.resources import World

_MODE = 0o644
_POD: Json = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
}
_GROUPS = ("initContainers", "containers", "ephemeralContainers")
_VARIABLE = re.compile(r"[ -<>-~]+")
_VARIABLE_RULE = (
    "a valid environment variable name must consist only of printable ASCII characters other than "
    "'='"
)
_LOST_NODE_SECONDS = 300
_CHANGEABLE = {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName"}


def default_pod(pod: Json) -> None:
    """The defaults of a Pod."""
    spec = pod.setdefault("spec", {})
    default_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    for container in _containers(spec):
        resources = container["resources"]
        for name, limit in (resources.get("limits") or {}).items():
            resources.setdefault("requests", {}).setdefault(name, limit)


def default_template(template: Json) -> None:
    """The defaults of the Pod template of a workload."""
    template.setdefault("metadata", {})
    default_spec(template.setdefault("spec", {}))


def default_spec(spec: Json) -> None:
    """The defaults of a Pod specification."""
    for name, value in _POD.items():
        spec.setdefault(name, value)
    spec.setdefault("securityContext", {})
    _default_account(spec)
    for container in _containers(spec):
        _default_container(container)
    for volume in spec.get("volumes") or []:
        _default_volume(volume)


def _default_account(spec: Json) -> None:
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def _containers(spec: Json) -> Iterable[Json]:
    for group in _GROUPS:
        yield from spec.get(group) or []


def _default_container(container: Json) -> None:
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image", "")))
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or []:
        field = at(variable, "valueFrom", "fieldRef")
        if field is not None:
            field.setdefault("apiVersion", "v1")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name):
            _default_probe(container[name])
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _default_http(hook.get("httpGet"))


def _pull_policy(image: str) -> str:
    name = image.rsplit("/", 1)[-1]
    tag = "digest" if "@" in name else name.partition(":")[2]
    return "Always" if tag in {"", "latest"} else "IfNotPresent"


def _default_probe(probe: Json) -> None:
    _default_http(probe.get("httpGet"))
    counts = (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    )
    for name, value in counts:
        probe.setdefault(name, value)


def _default_http(action: Json | None) -> None:
    if action is not None:
        action.setdefault("path", "/")
        action.setdefault("scheme", "HTTP")


def _default_volume(volume: Json) -> None:
    if volume.keys() == {"name"}:
        volume["emptyDir"] = {}
    for source in ("secret", "configMap", "downwardAPI", "projected"):
        if volume.get(source) is not None:
            volume[source].setdefault("defaultMode", _MODE)
    items = [*(at(volume, "downwardAPI", "items") or [])]
    for source in at(volume, "projected", "sources") or []:
        items += at(source, "downwardAPI", "items") or []
        if source.get("serviceAccountToken") is not None:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    for item in items:
        if item.get("fieldRef"):
            item["fieldRef"].setdefault("apiVersion", "v1")
    if volume.get("hostPath") is not None:
        volume["hostPath"].setdefault("type", "")


def admit(pod: Json, world: World) -> None:
    """What the Pod gets from its ServiceAccount, its PriorityClass and by itself.

    Raises ApiError 403.
    """
    service_accounts.admit(pod, world)
    _tolerate_lost_nodes(pod["spec"])
    give_priority(pod, world)


def _tolerate_lost_nodes(spec: Json) -> None:
    """Let a Pod stay for a while on a node that is not ready, or not reached."""
    given = spec.get("tolerations") or []
    for name in ("not-ready", "unreachable"):
        key = f"node.kubernetes.io/{name}"
        if any(
            item.get("key") in (None, "", key) and item.get("effect") in (None, "", "NoExecute")
            for item in given
        ):
            continue
        toleration = {"key": key, "operator": "Exists", "effect": "NoExecute"}
        given = [*given, toleration | {"tolerationSeconds": _LOST_NODE_SECONDS}]
    spec["tolerations"] = given


def complete(pod: Json, _world: World) -> None:
    """The first status."""
    pod["status"] = {"phase": "Pending", "qosClass": _quality(pod["spec"])}


def keep(pod: Json, old: Json, _world: World) -> None:
    """Ephemeral containers come by their subresource alone."""
    kept = old["spec"].get("ephemeralContainers")
    if kept is None:
        pod["spec"].pop("ephemeralContainers", None)
    else:
        pod["spec"]["ephemeralContainers"] = kept


def _quality(spec: Json) -> str:
    asked = [container["resources"] for container in spec.get("containers") or []]
    if not any(resources.get("requests") or resources.get("limits") for resources in asked):
        return "BestEffort"
    full = all(
        {"cpu", "memory"} <= (resources.get("limits") or {}).keys()
        and resources.get("requests") == resources.get("limits")
        for resources in asked
    )
    return "Guaranteed" if full else "Burstable"


def check_pod(pod: Json, old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which a Pod, or a change of it, is refused."""
    if old is None:
        yield from check_spec(pod["spec"], "spec")
        if pod["spec"].get("ephemeralContainers"):
            yield immutable("spec.ephemeralContainers", "cannot be set on create")
        return
    yield from _check_ephemeral(pod["spec"], old["spec"])
    if _frozen(pod["spec"]) != _frozen(old["spec"]):
        yield immutable(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`, "
            "`spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` or "
            "`spec.terminationGracePeriodSeconds`",
        )


def _check_ephemeral(spec: Json, old: Json) -> Iterable[Cause]:
    """They are added, and neither changed nor removed."""
    found, path = spec.get("ephemeralContainers") or [], "spec.ephemeralContainers"
    if found == (old.get("ephemeralContainers") or []):
        return
    by_name = {container.get("name"): container for container in found}
    for before in old.get("ephemeralContainers") or []:
        if by_name.get(before["name"]) != before:
            text = f'existing ephemeral containers "{before["name"]}" may not be changed'
            yield immutable(path, text)
    others = [item["name"] for group in _GROUPS[:2] for item in spec.get(group) or []]
    yield from _check_names([*others, *by_name], path)
    for position, container in enumerate(found):
        if not container.get("image"):
            yield required(f"{path}[{position}].image")


def _frozen(spec: Json) -> Any:
    apart = {*_CHANGEABLE, "ephemeralContainers"}
    rest = {name: value for name, value in spec.items() if name not in apart}
    for group in ("initContainers", "containers"):
        rest[group] = [{**item, "image": ""} for item in spec.get(group) or []]
    return rest


def check_spec(spec: Json, path: str) -> Iterable[Cause]:
    """Yield the causes for which a Pod specification is refused."""
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    if spec["restartPolicy"] not in ("Always", "OnFailure", "Never"):
        allowed = ("Always", "OnFailure", "Never")
        yield unsupported(f"{path}.restartPolicy", spec["restartPolicy"], allowed)
    volumes = [volume.get("name", "") for volume in spec.get("volumes") or []]
    yield from _check_names(volumes, f"{path}.volumes")
    yield from check_volumes(spec, path)
    for group in ("initContainers", "containers"):
        containers = spec.get(group) or []
        yield from _check_names([item.get("name") for item in containers], f"{path}.{group}")
        for position, container in enumerate(containers):
            yield from _check_container(container, volumes, f"{path}.{group}[{position}]")


def _check_names(names: list[Any], path: str) -> Iterable[Cause]:
    for position, name in enumerate(names):
        if not name:
            yield required(f"{path}[{position}].name")
        elif not is_label(name):
            yield wrong(f"{path}[{position}].name", name, LABEL_RULE)
        elif name in names[:position]:
            text = f'Duplicate value: "{name}"'
            yield Cause(
                field=f"{path}[{position}].name", reason="FieldValueDuplicate", message=text
            )


def _check_container(container: Json, volumes: list[str], path: str) -> Iterable[Cause]:
    if not container.get("image"):
        yield required(f"{path}.image")
    for position, mount in enumerate(container.get("volumeMounts") or []):
        where = f"{path}.volumeMounts[{position}]"
        if mount.get("name") not in volumes:
            text = f'Not found: "{mount.get("name")}"'
            yield Cause(field=f"{where}.name", reason="FieldValueNotFound", message=text)
        if not mount.get("mountPath"):
            yield required(f"{where}.mountPath")
        yield from check_mount(mount, where)
    yield from _check_environment(container, path)
    for position, port in enumerate(container.get("ports") or []):
        if not 0 < port.get("containerPort", 0) < 65536:
            number = port.get("containerPort")
            yield wrong(f"{path}.ports[{position}].containerPort", number, "must be 1 to 65535")


def _check_environment(container: Json, path: str) -> Iterable[Cause]:
    for position, variable in enumerate(container.get("env") or []):
        where, name = f"{path}.env[{position}].name", variable.get("name")
        if not name:
            yield required(where)
        elif not _VARIABLE.fullmatch(name):
            yield wrong(where, name, _VARIABLE_RULE)
    for position, source in enumerate(container.get("envFrom") or []):
        prefix = source.get("prefix")
        if prefix and not _VARIABLE.fullmatch(prefix):
            yield wrong(f"{path}.envFrom[{position}].prefix", prefix, _VARIABLE_RULE)

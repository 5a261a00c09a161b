"""Makes `builtin.json` from checkouts of k8s.io/api and k8s.io/apimachinery.

    python -m embedded.api.types.generate API_CHECKOUT APIMACHINERY_CHECKOUT

The struct tags of their `types.go` files say everything that is needed: the JSON name, the
protobuf number, the patch strategy; the comment markers above say how lists are merged
(`+listType`, `+listMapKey`, `+structType`, `+default`). Only facts are carried over, no text.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PACKAGES = [
    "core/v1",
    "apps/v1",
    "batch/v1",
    "rbac/v1",
    "coordination/v1",
    "policy/v1",
    "events/v1",
    "storage/v1",
    "authorization/v1",
    "authentication/v1",
    "discovery/v1",
    "networking/v1",
    "scheduling/v1",
    "autoscaling/v2",
]
ROOTS = {
    "core": "Namespace Pod Secret ConfigMap Service Endpoints Event ServiceAccount Node Binding "
    "PersistentVolumeClaim PersistentVolume ResourceQuota LimitRange ReplicationController",
    "apps": "Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision",
    "batch": "Job CronJob",
    "rbac": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "coordination": "Lease",
    "policy": "PodDisruptionBudget Eviction",
    "events": "Event",
    "storage": "StorageClass",
    "discovery": "EndpointSlice",
    "networking": "Ingress IngressClass NetworkPolicy",
    "scheduling": "PriorityClass",
    "autoscaling": "HorizontalPodAutoscaler",
    "authorization": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview "
    "LocalSubjectAccessReview",
    "authentication": "TokenRequest TokenReview SelfSubjectReview",
    "meta": "DeleteOptions ObjectMeta Status",
}
KNOWN = {"meta", *(name.split("/")[0] for name in PACKAGES)}
WIRE = {
    "string": "string", "bool": "bool", "int32": "int32", "int64": "int64", "int": "int64",
    "float64": "double", "[]byte": "bytes", "resource.Quantity": "quantity",
    "intstr.IntOrString": "intstr", "metav1.Time": "time", "meta.Time": "time",
    "metav1.MicroTime": "microtime", "meta.MicroTime": "microtime", "metav1.Duration": "duration",
    "runtime.RawExtension": "raw", "meta.FieldsV1": "fieldsv1", "types.UID": "string",
    "types.NodeName": "string", "metav1.ConditionStatus": "string",
}  # fmt: skip
_IMPORTED_AS = {"metav1": "meta", "v1": "core", "corev1": "core", "apiv1": "core"}
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
ALIAS = re.compile(r"^type (\w+) =? ?([\[\]*\w.]+)$", re.MULTILINE)
FIELD = re.compile(r"^\t(?:\w+ +)?([\[\]*\w.]+) +`([^`]*)`")
MARKER = re.compile(r"^\t// \+([\w:]+)(?:=(.*))?$")


@dataclass
class Source:
    """Struct bodies and type aliases by qualified name such as `core.Pod`."""

    structs: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def add(self, package: str, text: str) -> None:
        """Take in one `types.go`."""
        for name, body in STRUCT.findall(text):
            self.structs[f"{package}.{name}"] = body
        for name, target in ALIAS.findall(text):
            if target not in {"struct", "interface"}:
                self.aliases[f"{package}.{name}"] = target


def type_of(source: Source, package: str, go: str) -> str:
    """The table's name of a Go type: a wire type, a message, `[]X` or `map:X`."""
    go = go.lstrip("*")
    if go in WIRE:
        return WIRE[go]
    if go.startswith("[]"):
        return "[]" + type_of(source, package, go[2:])
    if go.startswith("map["):
        return "map:" + type_of(source, package, go[go.index("]") + 1 :])
    name = _qualified(package, go)
    if name in WIRE:
        return WIRE[name]
    if name in source.structs:
        return name
    if name in source.aliases:
        return type_of(source, name.split(".")[0], source.aliases[name])
    if package_of(name) in KNOWN:
        raise SystemExit(f"{package}: what is {go}?")
    return ""  # a type of an alpha group


def package_of(name: str) -> str:
    """`core` of `core.Pod`."""
    return name.split(".")[0]


def _qualified(package: str, go: str) -> str:
    if "." not in go:
        return f"{package}.{go}"
    prefix, name = go.split(".")
    return f"{_IMPORTED_AS.get(prefix, prefix)}.{name}"


def fields_of(source: Source, message: str) -> dict[str, Any]:
    """One message: its fields by JSON name, and whether it is merged as a whole."""
    package = message.split(".")[0]
    fields: dict[str, Any] = {}
    markers: list[tuple[str, str]] = []
    for line in source.structs[message].splitlines():
        if marker := MARKER.match(line):
            markers.append((marker[1], marker[2] or ""))
        elif found := FIELD.match(line):
            name, entry = _field(source, package, found[1], found[2], markers)
            if name:
                fields[name] = entry
            markers = []
        elif not line.startswith("\t//"):
            markers = []
    return fields


def _field(
    source: Source, package: str, go: str, tag: str, marks: list[tuple[str, str]]
) -> tuple[str, dict[str, Any]]:
    tags = dict(re.findall(r'(\w+):"([^"]*)"', tag))
    json_name, *options = tags.get("json", "").split(",")
    kind = type_of(source, package, go) if json_name != "-" and not go.endswith("TypeMeta") else ""
    if not kind:
        return "", {}
    entry: dict[str, Any] = {"type": kind}
    if proto := re.search(r"^\w+,(\d+)", tags.get("protobuf", "")):
        entry["number"] = int(proto[1])
    if not json_name:
        entry["inline"] = True
        json_name = f"<{go.split('.')[-1]}>"
    if "omitempty" in options and not go.startswith("*"):
        entry["omitempty"] = True
    _patching(entry, tags, marks)
    return json_name, entry


def _patching(entry: dict[str, Any], tags: dict[str, str], marks: list[tuple[str, str]]) -> None:
    if strategy := tags.get("patchStrategy"):
        entry["patch"] = strategy
    if key := tags.get("patchMergeKey"):
        entry["mergeKey"] = key
    if keys := [value for mark, value in marks if mark == "listMapKey"]:
        entry["keys"] = keys
    for mark, value in marks:
        if mark == "listType" and value != "atomic":
            entry["list"] = value
        if mark in {"structType", "mapType"} and value == "atomic":
            entry["atomic"] = True
        if mark == "default":
            entry["default"] = json.loads(value.replace("ref(", '"').replace(")", '"'))


def messages_of(source: Source) -> dict[str, Any]:
    """Every message that the roots reach."""
    found: dict[str, Any] = {}
    waiting = [f"{package}.{name}" for package, names in ROOTS.items() for name in names.split()]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = fields_of(source, name)
        types = (entry["type"].split(":")[-1].lstrip("[]") for entry in found[name].values())
        waiting += [kind for kind in types if "." in kind]
    return dict(sorted(found.items()))


def atomic_structs(text: str, package: str) -> list[str]:
    """Structs that are marked `+structType=atomic` where they are declared."""
    marked = re.findall(r"// \+structType=atomic\n(?:// .*\n)*type (\w+) struct", text)
    return [f"{package}.{name}" for name in marked]


def main() -> None:
    """Write the table next to this module."""
    api, machinery = Path(sys.argv[1]), Path(sys.argv[2])
    source, atomic = Source(), []
    texts = {name.split("/")[0]: (api / name / "types.go").read_text() for name in PACKAGES}
    texts["meta"] = (machinery / "pkg/apis/meta/v1/types.go").read_text()
    for package, text in texts.items():
        source.add(package, text)
        atomic += atomic_structs(text, package)
    table = messages_of(source)
    lines = [f"{json.dumps(name)}: {json.dumps(fields)}" for name, fields in table.items()]
    head = f'"atomic": {json.dumps([name for name in atomic if name in table])}'
    body = ",\n".join(lines)
    target = Path(__file__).with_name("builtin.json")
    target.write_text(f'{{{head},\n"messages": {{\n{body}\n}}}}\n')


if __name__ == "__main__":
    main()

"""The Pods and claims of a StatefulSet, as its templates and an ordinal make them."""

from __future__ import annotations

import re

from embedded.client import PVCS, Json
from embedded.controllers import pods

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
REVISION = "controller-revision-hash"
_POD_NAME = "statefulset.kubernetes.io/pod-name"
_POD_INDEX = "apps.kubernetes.io/pod-index"


def ordinal(stateful_set: Json, pod: Json) -> int | None:
    """The number at the end of a Pod's name; None for a name that is not of the set's rule."""
    parent, _, number = str(pod["metadata"]["name"]).rpartition("-")
    if parent != stateful_set["metadata"]["name"] or not _NUMBER.fullmatch(number):
        return None
    return int(number)


def pod_of(stateful_set: Json, number: int, revision: str) -> Json:
    """Make the Pod `<name>-<number>`, with its volumes bound to its own claims."""
    spec = stateful_set["spec"]
    name = f"{stateful_set['metadata']['name']}-{number}"
    labels = {_POD_NAME: name, _POD_INDEX: str(number), REVISION: revision}
    pod = pods.from_template(spec["template"], stateful_set, {"name": name, "labels": labels})
    pod["spec"]["hostname"] = name
    if spec.get("serviceName"):
        pod["spec"]["subdomain"] = spec["serviceName"]
    volumes = [_volume(template, name) for template in _templates(stateful_set)]
    if volumes:
        taken = {volume["name"] for volume in volumes}
        others = [v for v in pod["spec"].get("volumes") or [] if v["name"] not in taken]
        pod["spec"]["volumes"] = [*others, *volumes]
    return pod


def claims(stateful_set: Json, number: int) -> list[Json]:
    """Make the claims of one Pod; they outlive it and have no owner."""
    name = f"{stateful_set['metadata']['name']}-{number}"
    return [_claim(stateful_set, template, name) for template in _templates(stateful_set)]


def _templates(stateful_set: Json) -> list[Json]:
    return stateful_set["spec"].get("volumeClaimTemplates") or []


def _claim(stateful_set: Json, template: Json, pod_name: str) -> Json:
    given = template["metadata"]
    selected = stateful_set["spec"]["selector"].get("matchLabels") or {}
    metadata = {
        "name": _claim_name(template, pod_name),
        "namespace": stateful_set["metadata"]["namespace"],
        "labels": (given.get("labels") or {}) | selected,
    }
    if given.get("annotations"):
        metadata["annotations"] = given["annotations"]
    return {
        "apiVersion": PVCS.api_version,
        "kind": PVCS.kind,
        "metadata": metadata,
        "spec": template["spec"],
    }


def _volume(template: Json, pod_name: str) -> Json:
    claim = {"claimName": _claim_name(template, pod_name)}
    return {"name": template["metadata"]["name"], "persistentVolumeClaim": claim}


def _claim_name(template: Json, pod_name: str) -> str:
    return f"{template['metadata']['name']}-{pod_name}"

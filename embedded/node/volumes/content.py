"""The files of a Secret, ConfigMap, downwardAPI or projected volume.

Rules: Kubernetes API reference, SecretVolumeSource, ConfigMapVolumeSource, ProjectedVolumeSource,
DownwardAPIVolumeSource. Texts of the errors are a kubelet's, since users search for them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from embedded.client import Json
from embedded.node.pods.fields import PodFacts, field_value, resource_value
from embedded.node.volumes.atomic import File
from embedded.node.volumes.ownership import Ownership

_DEFAULT_MODE = 0o644


class VolumeNotReadyError(Exception):
    """Something that a volume needs is not there yet; the message is a kubelet's."""


class ClaimPendingError(VolumeNotReadyError):
    """A claim is not bound yet, which is ordinary for a moment."""


class Sources(Protocol):
    """The source of the content."""

    async def secret(self, namespace: str, name: str) -> Json | None:
        """Return the Secret, or None when it does not exist."""

    async def config_map(self, namespace: str, name: str) -> Json | None:
        """Return the ConfigMap, or None when it does not exist."""

    async def token(self, pod: Json, source: Json) -> str:
        """Return a token of the Pod's service account for a serviceAccountToken source."""


@dataclass(frozen=True, kw_only=True)
class ContentContext:
    """The Pod that the volume belongs to, and the sources of its content and of its owners."""

    pod: Json
    facts: PodFacts
    sources: Sources
    ownership: Ownership = field(default_factory=Ownership)

    @property
    def namespace(self) -> str:
        """The Pod's namespace."""
        return str(self.pod["metadata"]["namespace"])


async def content_of(volume: Json, context: ContentContext) -> dict[str, File] | None:
    """Return the files of `volume` by path, or None when it is not a volume of this kind."""
    for kind in ("secret", "configMap", "downwardAPI", "projected"):
        source = volume.get(kind)
        if source is not None:
            mode = int(source.get("defaultMode", _DEFAULT_MODE))
            parts = source.get("sources") or [] if kind == "projected" else [{kind: source}]
            return await _files(parts, mode, context)
    return None


async def _files(parts: list[Json], mode: int, context: ContentContext) -> dict[str, File]:
    files: dict[str, File] = {}
    for part in parts:
        if "secret" in part:
            files |= await _secret_files(part["secret"], mode, context)
        elif "configMap" in part:
            files |= await _config_map_files(part["configMap"], mode, context)
        elif "downwardAPI" in part:
            files |= _downward_files(part["downwardAPI"], mode, context)
        elif "serviceAccountToken" in part:
            source = part["serviceAccountToken"]
            token = await context.sources.token(context.pod, source)
            own = context.ownership
            files[source["path"]] = File(
                data=token.encode(), mode=own.token_mode(mode), user=own.token_user
            )
        else:
            raise VolumeNotReadyError(f"projected source {', '.join(part)} is not offered")
    return files


async def _secret_files(source: Json, mode: int, context: ContentContext) -> dict[str, File]:
    # A volume says secretName, a projection says name.
    name = source.get("secretName") or source.get("name") or ""
    secret = await context.sources.secret(context.namespace, name)
    if secret is None:
        return _absent(source, f'secret "{name}" not found')
    data = {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}
    return _chosen(source, data, mode, "secret", context.ownership)


async def _config_map_files(source: Json, mode: int, context: ContentContext) -> dict[str, File]:
    found = await context.sources.config_map(context.namespace, source["name"])
    if found is None:
        return _absent(source, f'configmap "{source["name"]}" not found')
    data = {key: value.encode() for key, value in (found.get("data") or {}).items()}
    binary = found.get("binaryData") or {}
    data |= {key: base64.b64decode(value) for key, value in binary.items()}
    return _chosen(source, data, mode, "config", context.ownership)


def _absent(source: Json, problem: str) -> dict[str, File]:
    if source.get("optional"):
        return {}
    raise VolumeNotReadyError(problem)


def _chosen(
    source: Json, data: Mapping[str, bytes], mode: int, noun: str, ownership: Ownership
) -> dict[str, File]:
    items = source.get("items")
    if not items:
        return {key: File(data=value, mode=ownership.mode(mode)) for key, value in data.items()}
    files = {}
    for item in items:
        value = data.get(item["key"])
        if value is not None:
            files[item["path"]] = File(data=value, mode=ownership.mode(_own_mode(item, mode)))
        elif not source.get("optional"):
            raise VolumeNotReadyError(f"references non-existent {noun} key: {item['key']}")
    return files


def _downward_files(source: Json, mode: int, context: ContentContext) -> dict[str, File]:
    files = {}
    for item in source.get("items") or []:
        if "fieldRef" in item:
            text = field_value(context.pod, item["fieldRef"]["fieldPath"], context.facts)
        else:
            text = resource_value(context.pod, item["resourceFieldRef"])
        own = context.ownership.mode(_own_mode(item, mode))
        files[item["path"]] = File(data=text.encode(), mode=own)
    return files


def _own_mode(item: Json, mode: int) -> int:
    own = item.get("mode")
    return mode if own is None else int(own)
